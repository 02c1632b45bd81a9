//! What retention is counted from: each user's first event, and the periods with a return.

use chrono::Utc;
use minijinja::value::Value as Variable;

use super::super::ProductService;
use super::super::notes::{COHORTS, COMPLETE, FIRST_EVER, ON_OR_AFTER, RATES, USERS};
use super::super::repository::{RetentionRow, USES};
use super::super::tables::history_of;
use super::matrix::{Laid, mean};
use super::schemas::{CohortBy, Retention, RetentionQuestion, Returned};
use crate::auth::Reader;
use crate::clickhouse::{Value, Values};
use crate::query::{Aggregation, Range, Sources};
use crate::service::{AnswerError, Common, verified};

impl ProductService {
    pub async fn retention(&self, reader: &Reader, question: &RetentionQuestion) -> Result<Retention, AnswerError> {
        verified(question.verify, |sources| self.retention_from(sources, reader, question)).await
    }

    async fn retention_from(
        &self,
        sources: Sources,
        reader: &Reader,
        question: &RetentionQuestion,
    ) -> Result<Retention, AnswerError> {
        let now = Utc::now();
        let range = question.date_range.resolve(now)?;
        let buckets = Aggregation(question.period.level()).buckets(&range)?;
        let mut notes = vec![USERS, COHORTS, RATES, COMPLETE];
        if question.cohort_by == CohortBy::FirstEver {
            notes.push(FIRST_EVER);
        }
        if question.returned == Returned::OnOrAfter {
            notes.push(ON_OR_AFTER);
        }
        let common = Common {
            template: "product/retention.sql",
            dataset: &USES,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            // Only single facts tell what came first.
            fields: &["name", "user", "session"],
            sources,
            notes: &notes,
        };
        let mut values = Values::default();
        let events = &question.events;
        let (cohort, returns) = (events.cohort.condition(&mut values), events.returns.condition(&mut values));
        values.set("since", Value::Time(range.from));
        let variables: Vec<(&'static str, Variable)> = vec![
            ("cohort_event", cohort.into()),
            ("return_event", returns.into()),
            ("counts_latest", Variable::from(question.returned == Returned::OnOrAfter)),
        ];
        let read = match question.cohort_by {
            CohortBy::FirstInRange => range,
            CohortBy::FirstEver => Range { from: history_of(range.from), ..range },
        };
        let answered =
            self.service.within_buckets::<RetentionRow>(reader, common, &read, &buckets, values, variables).await?;
        let meta = self.service.meta_within(reader, common, &range, &answered).await?;
        let periods = usize::try_from(question.periods.0).unwrap_or(usize::MAX);
        let laid = Laid { buckets: &buckets, range: &range, now, periods, returned: question.returned };
        let cohorts = laid.cohorts(&answered.rows.rows);
        Ok(Retention { period: question.period.name(), mean: mean(&cohorts, periods), cohorts, meta })
    }
}
