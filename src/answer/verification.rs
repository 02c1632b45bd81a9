//! Verification: the same answer from raw rows, and how far both are apart.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Shape;

/// How far an answer from a rollup is from the same answer from raw rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Verification {
    /// What the answer was compared with.
    #[schema(example = "raw")]
    pub source: String,
    /// Values that were compared: all of the answer but `meta`.
    #[schema(example = 28)]
    pub values: u64,
    /// Values that are not the same in both.
    #[schema(example = 0)]
    pub different: u64,
    /// The largest difference of two numbers.
    #[schema(example = 0.0)]
    pub largest_difference: f64,
    /// The same, divided by the one from raw rows; null where that is 0.
    #[schema(example = 0.0)]
    pub largest_relative_difference: Option<f64>,
}

/// Notes in an answer how far it is from another, which was read from raw rows.
pub fn verify<A: Shape>(mut answer: A, mut raw: A) -> A {
    let (shown, wanted) = (values_of(&answer), values_of(&raw));
    let mut verification = Verification { source: raw.meta().source.clone(), ..Verification::default() };
    let mut relative: Vec<Option<f64>> = Vec::new();
    let places = shown.keys().chain(wanted.keys().filter(|place| !shown.contains_key(*place)));
    for place in places {
        verification.values += 1;
        let (one, other) = (shown.get(place), wanted.get(place));
        if one == other {
            continue;
        }
        verification.different += 1;
        if let (Some(one), Some(other)) = (one.and_then(number), other.and_then(number)) {
            let difference = (one - other).abs();
            verification.largest_difference = verification.largest_difference.max(difference);
            relative.push((other != 0.0).then(|| difference / other.abs()));
        }
    }
    let largest = relative.into_iter().try_fold(0.0_f64, |largest, relative| relative.map(|one| largest.max(one)));
    verification.largest_relative_difference = largest;
    answer.meta().verification = Some(verification);
    answer
}

/// The values of an answer by their places.
fn values_of(answer: &impl Serialize) -> BTreeMap<String, Value> {
    fn walk(value: Value, place: String, into: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(fields) => {
                fields.into_iter().for_each(|(name, value)| walk(value, format!("{place}/{name}"), into));
            }
            Value::Array(items) => {
                items.into_iter().enumerate().for_each(|(index, value)| walk(value, format!("{place}/{index}"), into));
            }
            value => {
                into.insert(place, value);
            }
        }
    }
    let mut answer = serde_json::to_value(answer).expect("answers serialise");
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("meta");
    }
    let mut values = BTreeMap::new();
    walk(answer, String::new(), &mut values);
    values
}

/// A number, or money, which is a text.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::super::{Card, Meta, Money, Total, Totals};
    use super::*;

    fn totals(runs: u64, latency: f64, cost: i128) -> Totals {
        let totals = [
            Total::count("runs", "Runs", "count", runs),
            Total::real("latency", "Latency", "ms", Some(latency)),
            Total::money("cost", "Cost", Some(Money(cost))),
        ];
        let meta = Meta { source: "raw".to_owned(), ..Meta::default() };
        Totals { totals: Card::compared(&totals, None), meta }
    }

    fn verified(one: Totals, other: Totals) -> Verification {
        verify(one, other).meta.verification.unwrap()
    }

    #[test]
    fn the_same_answer_differs_in_nothing() {
        let verification = verified(totals(3, 1.5, 7), totals(3, 1.5, 7));
        assert_eq!((verification.values, verification.different), (18, 0));
        assert_eq!((verification.largest_difference, verification.largest_relative_difference), (0.0, Some(0.0)));
    }

    #[test]
    fn differences_are_counted_and_the_largest_is_told() {
        let verification = verified(totals(3, 202.0, 1_000_000_000), totals(3, 200.0, 4_000_000_000));
        assert_eq!(verification.different, 2);
        assert_eq!(verification.largest_difference, 3.0);
        assert_eq!(verification.largest_relative_difference, Some(0.75));
        assert_eq!(verified(totals(1, 0.0, 0), totals(0, 0.0, 0)).largest_relative_difference, None);
    }
}
