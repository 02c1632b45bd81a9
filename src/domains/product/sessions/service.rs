//! What sessions are made of: what the client told, or events without a long pause.

use chrono::{Duration, Utc};
use minijinja::value::Value as Variable;

use super::super::ProductService;
use super::super::notes::{BUILT, INTERACTIONS, QUANTILES, SESSIONS, USERS};
use super::super::repository::{PRESENCE, SessionsRow};
use super::schemas::{DurationBin, SessionFigures, Sessions, SessionsQuestion, Spread};
use crate::answer::QUANTILE_LEVELS;
use crate::auth::Reader;
use crate::clickhouse::{Sql, Value, Values};
use crate::query::{Range, Sources};
use crate::repository::Answered;
use crate::service::{AnswerError, Common, add_cost, verified};

/// Without an event for longer than this, a session is over, and the next event begins another.
const PAUSE: Duration = Duration::minutes(30);
/// How far outside of the range sessions are followed.
const AROUND: Duration = Duration::days(1);
/// Where the bins of the histogram begin, in milliseconds: 0, 10 and 30 seconds, 1, 3, 10 and 30 minutes, 1 and 3 hours.
const BOUNDS: [u32; 9] = [0, 10_000, 30_000, 60_000, 180_000, 600_000, 1_800_000, 3_600_000, 10_800_000];

impl ProductService {
    pub async fn sessions(&self, reader: &Reader, question: &SessionsQuestion) -> Result<Sessions, AnswerError> {
        verified(question.verify, |sources| self.sessions_from(sources, reader, question)).await
    }

    async fn sessions_from(
        &self,
        sources: Sources,
        reader: &Reader,
        question: &SessionsQuestion,
    ) -> Result<Sessions, AnswerError> {
        let now = Utc::now();
        let range = question.date_range.resolve(now)?;
        let common = Common {
            template: "product/sessions.sql",
            dataset: &PRESENCE,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            fields: &["user", "session"],
            sources,
            notes: &[SESSIONS, BUILT, INTERACTIONS, QUANTILES, USERS],
        };
        let answered = self.sessions_of(reader, common, &range).await?;
        let mut meta = self.service.meta_within(reader, common, &range, &answered).await?;
        let comparison = match question.comparison.earlier(&range, now) {
            None => None,
            Some(earlier) => {
                let window = Range { to: earlier.until, ..earlier.range };
                let answered = self.sessions_of(reader, common, &window).await?;
                add_cost(&answered, &mut meta);
                Some(figures(&answered))
            }
        };
        Ok(Sessions { figures: figures(&answered), comparison, meta })
    }

    async fn sessions_of(
        &self,
        reader: &Reader,
        common: Common<'_>,
        range: &Range,
    ) -> Result<Answered<SessionsRow>, AnswerError> {
        let around = Range { from: range.from - AROUND, to: range.to + AROUND, ..*range };
        let mut values = Values::default();
        values.set("since", Value::Time(range.from));
        values.set("until", Value::Time(range.to));
        values.set("pause_us", Value::Whole(PAUSE.num_microseconds().unwrap_or_default().unsigned_abs()));
        values.set("bounds", Value::Wholes(BOUNDS.to_vec()));
        let variables: Vec<(&'static str, Variable)> = vec![("levels", Sql::constant(QUANTILE_LEVELS).into())];
        self.service.within(reader, common, &around, values, variables).await
    }
}

fn figures(answered: &Answered<SessionsRow>) -> SessionFigures {
    let row = answered.rows.rows.first().cloned().unwrap_or_default();
    let of_bin = |(index, from_ms): (usize, &u32)| {
        let (bounds, counts) = &row.histogram;
        let place = bounds.iter().position(|bound| bound == from_ms);
        let sessions = place.and_then(|place| counts.get(place).copied()).unwrap_or_default();
        let share = (row.sessions > 0).then(|| sessions as f64 / row.sessions as f64);
        DurationBin { from_ms: *from_ms, to_ms: BOUNDS.get(index + 1).copied(), sessions, share }
    };
    SessionFigures {
        sessions: row.sessions,
        told_sessions: row.told,
        built_sessions: row.sessions - row.told,
        users: row.users,
        duration_ms: spread(row.duration_ms, &row.duration_quantiles),
        pages: spread(row.pages, &row.pages_quantiles),
        interactions: spread(row.interactions, &row.interactions_quantiles),
        histogram: BOUNDS.iter().enumerate().map(of_bin).collect(),
    }
}

fn spread(mean: f64, quantiles: &[f64]) -> Spread {
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    let of = |index: usize| quantiles.get(index).copied().and_then(finite);
    Spread { mean: finite(mean), p50: of(0), p75: of(1), p90: of(2), p95: of(3), p99: of(4) }
}
