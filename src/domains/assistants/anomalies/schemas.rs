//! The question for anomalies, and what it is answered with.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;

use super::super::schemas::{SpanDimension, SpanFilters};
use crate::query::{DateRange, Filters, FromParameters, Pagination, Parameters, Split, number, question, take_number};

question! {
    /// On which days was something unlike such days before?
    pub struct AnomaliesQuestion {
        date_range: DateRange,
        split: Split<SpanDimension>,
        filters: Filters<SpanFilters>,
        min_score: MinScore,
        pagination: Pagination,
    }
}

/// The least distance from what was expected that is told, either way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinScore(pub f64);

const MIN_SCORE: (&str, [f64; 2], f64) = ("min_score", [0.0, 1_000.0], 3.5);

impl FromParameters for MinScore {
    fn describe() -> Vec<Parameter> {
        let (name, bounds, default) = MIN_SCORE;
        let description =
            "The least score that is told, above or below what was expected; 0 tells every day that can be scored.";
        vec![number(name, description, bounds, default).build()]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let (name, bounds, default) = MIN_SCORE;
        take_number(parameters, name, bounds, default).map(Self)
    }
}

/// A day on which something was unlike such days before.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Anomaly {
    /// A local day, in the time zone of the question.
    #[schema(example = "2026-02-03")]
    pub day: String,
    pub metric: DailyMetric,
    /// With `split_by`, the group.
    #[schema(example = "triage")]
    pub group: Option<String>,
    #[schema(example = "usd")]
    pub unit: &'static str,
    pub direction: Side,
    #[schema(example = 41.2)]
    pub seen: f64,
    /// The median of such days before.
    #[schema(example = 13.2)]
    pub expected: f64,
    /// How far such days usually lie from what is expected of them, in the unit of the values.
    #[schema(example = 3.2)]
    pub spread: f64,
    /// (seen − expected) ÷ spread
    #[schema(example = 8.75)]
    pub score: f64,
    pub basis: Basis,
    /// How many days before the expected value is the median of.
    #[schema(example = 6)]
    pub baseline_days: u64,
    /// The same in words.
    #[schema(
        example = "Cost was 41.2 USD; 13.2 was expected, the median of 6 Tuesdays. That is 8.75 times the usual spread of 3.2 above."
    )]
    pub explanation: String,
}

/// What is looked at, day by day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DailyMetric {
    Runs,
    ErrorRate,
    LatencyP95,
    Cost,
}

/// Whether more or less was seen than expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Above,
    Below,
}

/// The days that an expected value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The same weekday of the weeks before.
    Weekday,
    /// All days before, while there are too few of the same weekday.
    AllDays,
}
