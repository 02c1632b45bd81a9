//! What the list of experiments counts.

use chrono::{DateTime, Utc};

use super::super::ExperimentsService;
use super::super::notes::{EQUAL_PARTS, SO_FAR, UNITS};
use super::super::repository::EXPOSURES;
use super::super::service::{MOST_VARIANTS, STILL, until};
use super::schemas::{ExperimentsQuestion, ListedExperiment};
use crate::answer::Table;
use crate::auth::Reader;
use crate::clickhouse::{Value, Values};
use crate::query::Sources;
use crate::service::{AnswerError, Common, TableOf};

impl ExperimentsService {
    pub async fn experiments(
        &self,
        reader: &Reader,
        question: &ExperimentsQuestion,
    ) -> Result<Table<ListedExperiment>, AnswerError> {
        let range = question.date_range.resolve(Utc::now())?;
        let common = Common {
            template: "experiments/experiments.sql",
            dataset: &EXPOSURES,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            fields: &["experiment_id", "unit", "variant"],
            sources: Sources::Any,
            notes: &[UNITS, SO_FAR, EQUAL_PARTS],
        };
        // Sums of the rollup are of all time: what a unit's exposures are cannot be cut off at the end of the range.
        let always = until(DateTime::<Utc>::MAX_UTC, &range);
        let mut values = Values::default();
        values.set("from", Value::Signed(range.from.timestamp_micros()));
        values.set("to", Value::Signed(range.to.timestamp_micros()));
        // One more than are analysed, to tell that there are more.
        values.set("most_variants", Value::Whole(MOST_VARIANTS as u64 + 1));
        values.set("still", Value::Signed(STILL.num_seconds()));
        let of = TableOf { about: &range, read: &always, joined: &[] };
        let mut table = self.service.table_of(reader, common, of, &question.paging, values, Vec::new()).await?;
        table.items.iter_mut().for_each(|experiment| experiment.variants.truncate(MOST_VARIANTS));
        Ok(table)
    }
}
