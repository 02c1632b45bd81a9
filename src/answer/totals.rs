//! Totals: the cards of a page, each beside its earlier value.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Meta, Money, Number, Shape, csv};

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
    pub value: Option<Figure>,
    #[schema(example = "count")]
    pub unit: &'static str,
    /// The value of the earlier period; null without a comparison.
    pub previous: Option<Figure>,
    pub change: Option<Change>,
}

/// How much a value differs from the earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Change {
    pub absolute: Figure,
    /// By |previous|; null when that is 0.
    pub relative: Option<f64>,
}

/// A number, or an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Figure {
    Number(Number),
    Money(Money),
}

impl Figure {
    fn minus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => Some(Self::Number(one.minus(other))),
            (Self::Money(one), Self::Money(other)) => Some(Self::Money(one.minus(other))),
            _ => None,
        }
    }

    pub fn as_f64(self) -> f64 {
        match self {
            Self::Number(number) => number.as_f64(),
            Self::Money(money) => money.as_f64(),
        }
    }

    fn text(figure: Option<Self>) -> String {
        match figure {
            Some(Self::Money(money)) => money.to_string(),
            Some(Self::Number(number)) => Number::text(Some(number)),
            None => String::new(),
        }
    }
}

/// A figure with a name, before it is set beside its earlier value.
#[derive(Debug, Clone, Copy)]
pub struct Total {
    pub id: &'static str,
    pub label: &'static str,
    pub unit: &'static str,
    pub value: Option<Figure>,
}

impl Total {
    pub fn count(id: &'static str, label: &'static str, unit: &'static str, count: u64) -> Self {
        Self { id, label, unit, value: Some(Figure::Number(Number::Count(count))) }
    }

    /// `numerator ÷ denominator`; nothing without a sample.
    pub fn ratio(id: &'static str, label: &'static str, numerator: u64, denominator: u64) -> Self {
        Self { id, label, unit: "ratio", value: Number::ratio(numerator, denominator).map(Figure::Number) }
    }

    pub fn real(id: &'static str, label: &'static str, unit: &'static str, value: Option<f64>) -> Self {
        Self { id, label, unit, value: value.map(|value| Figure::Number(Number::Real(value))) }
    }

    pub fn money(id: &'static str, label: &'static str, money: Option<Money>) -> Self {
        Self { id, label, unit: "usd", value: money.map(Figure::Money) }
    }
}

impl Card {
    /// A card for each total, with its change where both values are there.
    pub fn compared(current: &[Total], earlier: Option<&[Total]>) -> Vec<Self> {
        let card = |total: &Total| {
            let same = |earlier: &&Total| earlier.id == total.id;
            let previous = earlier.and_then(|earlier| earlier.iter().find(same)).and_then(|earlier| earlier.value);
            let change = total.value.zip(previous).and_then(|(value, previous)| {
                let (absolute, previous) = (value.minus(previous)?, previous.as_f64());
                Some(Change { absolute, relative: (previous != 0.0).then(|| absolute.as_f64() / previous.abs()) })
            });
            let Total { id, label, unit, value } = *total;
            Self { id, label, value, unit, previous, change }
        };
        current.iter().map(card).collect()
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
                Figure::text(card.value),
                card.unit.to_owned(),
                Figure::text(card.previous),
                Figure::text(card.change.map(|change| change.absolute)),
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
        let card = |value: Option<Figure>, previous: Option<Figure>| {
            let total = |value| Total { id: "x", label: "X", unit: "count", value };
            Card::compared(&[total(value)], Some(&[total(previous)]))[0].change
        };
        let count = |count| Some(Figure::Number(Number::Count(count)));
        let real = |real| Some(Figure::Number(Number::Real(real)));
        let money = |dollars: i128| Some(Figure::Money(Money(dollars * 1_000_000_000)));
        let difference = |difference| Figure::Number(Number::Difference(difference));
        assert_eq!(card(count(123), count(100)), Some(Change { absolute: difference(23), relative: Some(0.23) }));
        assert_eq!(card(count(5), count(0)), Some(Change { absolute: difference(5), relative: None }));
        assert_eq!(card(real(-5.0), real(-10.0)).unwrap().relative, Some(0.5));
        let cheaper = Change { absolute: Figure::Money(Money(-2_000_000_000)), relative: Some(-0.5) };
        assert_eq!(card(money(2), money(4)), Some(cheaper));
        assert_eq!(card(None, count(1)), None);
        assert_eq!(card(count(1), None), None);
    }
}
