//! What an answer says about itself.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Verification;
use crate::query::Range;

/// How an answer came about: which time it is about, what it was read from, how fresh it is.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Meta {
    /// The time that the answer is about, `[from, to)`.
    pub range: RangeMeta,
    /// IANA time zone of days, buckets and labels.
    #[schema(example = "UTC")]
    pub timezone: String,
    /// Unit of the time axis; charts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "day", nullable = false)]
    pub aggregation_level: Option<String>,
    /// Unit of the values; charts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "characters", nullable = false)]
    pub unit: Option<String>,
    /// Indexes of the buckets that are not whole: cut by the range, or not over yet; charts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub partial: Option<Vec<usize>>,
    /// `raw`, or the name of the rollup that was read; both give the same numbers.
    #[schema(example = "recommendations_1h")]
    pub source: String,
    /// When the newest row came in; null while there is none.
    pub fresh_as_of: Option<String>,
    /// Sentences about how the numbers are to be read.
    pub notes: Vec<String>,
    /// With `verify=true`, how far the answer is from the same one from raw rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub verification: Option<Verification>,
    /// Comes last, so that an `ETag` can stand for what comes before.
    #[serde(flatten)]
    pub cost: Cost,
}

/// What an answer cost. It changes from one request to the next while the answer stays the same.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Cost {
    /// Rows that the engine read.
    pub rows_read: u64,
    /// Milliseconds that the engine took.
    pub elapsed_ms: f64,
    /// The engine's id of the query.
    pub query_id: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct RangeMeta {
    #[schema(example = "2026-02-01T00:00:00+00:00")]
    pub from: String,
    #[schema(example = "2026-02-08T00:00:00+00:00")]
    pub to: String,
}

impl Cost {
    /// Adds what another part of the answer cost; its id stays that of the first one.
    pub fn add(&mut self, other: &Self) {
        self.rows_read += other.rows_read;
        self.elapsed_ms = ((self.elapsed_ms + other.elapsed_ms) * 1e3).round() / 1e3;
        if self.query_id.is_empty() {
            other.query_id.clone_into(&mut self.query_id);
        }
    }
}

impl RangeMeta {
    pub fn new(range: &Range) -> Self {
        let shown = |instant: DateTime<Utc>| instant.with_timezone(&range.zone).to_rfc3339();
        Self { from: shown(range.from), to: shown(range.to) }
    }
}

impl Meta {
    pub fn of_range(range: &Range) -> Self {
        Self { range: RangeMeta::new(range), timezone: range.zone.name().to_owned(), ..Self::default() }
    }

    /// Adds what one query of the answer cost.
    pub fn add_cost(&mut self, rows_read: u64, elapsed: Duration, query_id: &str) {
        let elapsed_ms = elapsed.as_secs_f64() * 1e3;
        self.cost.add(&Cost { rows_read, elapsed_ms, query_id: query_id.to_owned() });
    }

    pub fn set_fresh_as_of(&mut self, newest: Option<DateTime<Utc>>) {
        self.fresh_as_of = newest.map(|newest| newest.to_rfc3339_opts(SecondsFormat::Micros, true));
    }
}
