//! Money: exact, to the billionth of a US dollar.

use std::fmt::{self, Display};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::PartialSchema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

/// US dollars, as billionths of one; shown as a decimal number in a text. Read from a `Decimal(38, 9)`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Money(pub i128);

const BILLIONTHS: u128 = 1_000_000_000;

impl Money {
    /// An amount of US dollars, its digits beyond the billionth rounded.
    pub fn of(dollars: Decimal) -> Self {
        let mut rounded = dollars.round_dp(9);
        rounded.rescale(9);
        Self(rounded.mantissa())
    }

    pub fn as_f64(self) -> f64 {
        self.0 as f64 / BILLIONTHS as f64
    }

    /// A part of it, rounded to the nearest billionth.
    pub fn divided_by(self, parts: u64) -> Self {
        let parts = i128::from(parts.max(1));
        Self((self.0 + self.0.signum() * (parts / 2)) / parts)
    }

    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count.into()))
    }

    /// How much more this is.
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (dollars, billionths) = (self.0.unsigned_abs() / BILLIONTHS, self.0.unsigned_abs() % BILLIONTHS);
        if billionths == 0 {
            return write!(formatter, "{sign}{dollars}");
        }
        let decimals = format!("{billionths:09}");
        write!(formatter, "{sign}{dollars}.{}", decimals.trim_end_matches('0'))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .pattern(Some(r"^-?\d+(\.\d{1,9})?$"))
            .examples(["12.3456"])
            .description(Some("US dollars, exact to the billionth."))
            .into()
    }
}

impl utoipa::ToSchema for Money {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_rounded_to_the_nearest_billionth() {
        assert_eq!(Money(10).divided_by(4), Money(3));
        assert_eq!(Money(-10).divided_by(4), Money(-3));
        assert_eq!(Money(9).divided_by(4), Money(2));
        assert_eq!(Money(7).divided_by(0), Money(7));
    }

    #[test]
    fn money_is_shown_exactly() {
        for (billionths, shown) in [
            (0, "0"),
            (1, "0.000000001"),
            (-1, "-0.000000001"),
            (1_500_000_000, "1.5"),
            (-12_000_000_000, "-12"),
            (99_999_999_999_999_999_999_999_999_999_999_999_999, "99999999999999999999999999999.999999999"),
        ] {
            assert_eq!(Money(billionths).to_string(), shown);
        }
    }
}
