//! Answers: charts, tables and totals, made of typed rows. Pure.
//!
//! Axes are dense, and every series is as long as its axis. A count without rows is 0; a rate, mean
//! or quantile without a sample is null, and nothing that is not a finite number leaves.

mod chart;
mod csv;
mod grid;
mod lines;
mod meta;
mod money;
mod table;
mod totals;
mod verification;

use serde::{Serialize, Serializer};
use utoipa::PartialSchema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

pub use chart::{Axis, Chart, ComparedChart, NO_GROUP, Outline, Series, chart};
pub use grid::{Grid, GroupedRow, Measure};
pub use lines::{
    Group, Line, Lines, Parts, QUANTILE_LEVELS, QUANTILES, QuantileLine, QuantilesRow, lines_of_known_groups,
    lines_of_quantile, quantile_lines,
};
pub use meta::{Cost, Meta, RangeMeta};
pub use money::Money;
pub(crate) use table::table_row;
pub use table::{Listing, ListingPage, Page, Table, TableRow, csv_of};
pub use totals::{Card, Change, Figure, Total, Totals};
pub use verification::{Verification, verify};

/// What a request is answered with: the same content as JSON and as CSV.
pub trait Shape: Serialize + Send + Sync + 'static {
    fn meta(&mut self) -> &mut Meta;

    /// The answer as rows of texts, a header first.
    fn csv(&self) -> String;
}

/// A number of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Count(u64),
    /// How much one count is above another.
    Difference(i64),
    /// A rate, mean or difference; shown as null when it is not finite.
    Real(f64),
}

impl Number {
    /// `numerator ÷ denominator`, `None` without a sample.
    pub fn ratio(numerator: u64, denominator: u64) -> Option<Self> {
        (denominator > 0).then(|| Self::Real(numerator as f64 / denominator as f64))
    }

    /// This number minus another; exact where both are counts.
    pub fn minus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Count(one), Self::Count(other)) => Self::Difference(one.cast_signed() - other.cast_signed()),
            _ => Self::Real(self.as_f64() - other.as_f64()),
        }
    }

    pub fn as_f64(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Difference(difference) => difference as f64,
            Self::Real(real) => real,
        }
    }

    /// As CSV writes it: nothing where there is no number.
    fn text(number: Option<Self>) -> String {
        match number {
            Some(Self::Count(count)) => count.to_string(),
            Some(Self::Difference(difference)) => difference.to_string(),
            Some(Self::Real(real)) if real.is_finite() => real.to_string(),
            _ => String::new(),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Difference(difference) => serializer.serialize_i64(*difference),
            Self::Real(real) if real.is_finite() => serializer.serialize_f64(*real),
            Self::Real(_) => serializer.serialize_none(),
        }
    }
}

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(SchemaType::Type(Type::Number)).into()
    }
}

impl utoipa::ToSchema for Number {}
