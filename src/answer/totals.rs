//! Totals: the cards of a page, each beside its earlier value.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Meta, Number, Shape, csv};

/// The totals of a range.
#[derive(Debug, Serialize, ToSchema)]
pub struct Totals {
    pub totals: Vec<Card>,
    pub meta: Meta,
}

/// One number.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Card {
    #[schema(example = "messages")]
    pub id: &'static str,
    #[schema(example = "Messages")]
    pub label: &'static str,
    pub value: Option<Number>,
    #[schema(example = "count")]
    pub unit: &'static str,
    /// The value of the earlier period; null without a comparison.
    pub previous: Option<Number>,
    pub change: Option<Change>,
}

/// How much a value differs from the earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Change {
    pub absolute: Number,
    /// By |previous|; null when that is 0.
    pub relative: Option<f64>,
}

impl Card {
    /// A card with its change, where both values are there.
    pub fn new(
        id: &'static str,
        label: &'static str,
        unit: &'static str,
        value: Option<Number>,
        previous: Option<Number>,
    ) -> Self {
        let change = value.zip(previous).map(|(value, previous)| {
            let (absolute, previous) = (value.minus(previous), previous.as_f64());
            Change { absolute, relative: (previous != 0.0).then(|| absolute.as_f64() / previous.abs()) }
        });
        Self { id, label, value, unit, previous, change }
    }
}

impl Shape for Totals {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        let header = ["id", "label", "value", "unit", "previous", "change_absolute", "change_relative"];
        let rows = self.totals.iter().map(|card| {
            [
                card.id.to_owned(),
                card.label.to_owned(),
                Number::text(card.value),
                card.unit.to_owned(),
                Number::text(card.previous),
                Number::text(card.change.map(|change| change.absolute)),
                Number::text(card.change.and_then(|change| change.relative).map(Number::Real)),
            ]
        });
        csv::write(header, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_needs_both_values_and_a_relative_one_a_previous_that_is_not_zero() {
        let card = |value, previous| Card::new("x", "X", "count", value, previous).change;
        let count = |count| Some(Number::Count(count));
        assert_eq!(
            card(count(123), count(100)),
            Some(Change { absolute: Number::Difference(23), relative: Some(0.23) })
        );
        assert_eq!(card(count(5), count(0)), Some(Change { absolute: Number::Difference(5), relative: None }));
        assert_eq!(card(Some(Number::Real(-5.0)), Some(Number::Real(-10.0))).unwrap().relative, Some(0.5));
        assert_eq!(card(None, count(1)), None);
        assert_eq!(card(count(1), None), None);
    }
}
