//! What the health of an experiment is made of.

use chrono::{DateTime, Utc};

use super::super::ExperimentsService;
use super::super::notes::{SO_FAR, UNITS};
use super::super::repository::HealthRow;
use super::super::service::{Arms, until};
use super::report::Report;
use super::schemas::{HealthQuestion, HealthReport};
use crate::auth::Reader;
use crate::clickhouse::Value;
use crate::query::{Aggregation, Buckets, Level, MOST_BUCKETS, Problem, Range};
use crate::service::AnswerError;

/// Platforms, and profiles, that are told apart.
const MOST_VALUES: u64 = 20;
/// More than all days, platforms and profiles of all variants.
const MOST_ROWS: u64 = 262_144;

impl ExperimentsService {
    pub async fn health(
        &self,
        reader: &Reader,
        id: &str,
        question: &HealthQuestion,
    ) -> Result<HealthReport, AnswerError> {
        let range = question.date_range.resolve(Utc::now())?;
        let days = days(&range)?;
        let seen = self.seen(reader, id, &question.filters.conditions, &range).await?;
        let arms = Arms::new(&question.plan, &seen.variants)?;
        let middle = range.from + (range.to - range.from) / 2;
        let handling = question.multiple_exposures;
        let mut ask = seen.ask_of_units("experiments/health.sql", &days, handling);
        // Sums of the rollup are of all time: what a unit's exposures are cannot be cut off at the end of the range.
        let always = until(DateTime::<Utc>::MAX_UTC, &range);
        ask.facts.range = &always;
        ask.values.set("to", Value::Signed(range.to.timestamp_micros()));
        ask.values.set("middle", Value::Signed(middle.timestamp_micros()));
        ask.values.set("top", Value::Whole(MOST_VALUES));
        ask.values.set("most_rows", Value::Whole(MOST_ROWS));
        let answered = self.service.ask::<HealthRow>(reader, ask).await?;
        let meta = self.meta(reader, &range, &[UNITS, SO_FAR], &answered).await?;
        let rows = &answered.rows.rows;
        Ok(Report { arms: &arms, variants: &seen.variants, zone: range.zone, middle, handling, rows }.told(meta))
    }
}

fn days(range: &Range) -> Result<Buckets, Problem> {
    let refused = |_| {
        let detail = format!("is too long ago: days are told apart, and {MOST_BUCKETS} is the most");
        Problem::parameter("datetime_from", detail)
    };
    Aggregation(Level::Day).buckets(range).map_err(refused)
}
