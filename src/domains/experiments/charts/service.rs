//! What charts of an experiment show.

use chrono::Utc;

use super::super::ExperimentsService;
use super::super::notes::UNITS;
use super::schemas::ExposuresQuestion;
use crate::answer::{self, Chart, Grid, GroupedRow, Measure, Outline};
use crate::auth::Reader;
use crate::service::AnswerError;

impl ExperimentsService {
    pub async fn exposures(
        &self,
        reader: &Reader,
        id: &str,
        question: &ExposuresQuestion,
    ) -> Result<Chart, AnswerError> {
        let now = Utc::now();
        let range = question.date_range.resolve(now)?;
        let buckets = question.aggregation.buckets(&range)?;
        let seen = self.seen(reader, id, &question.filters.conditions, &range).await?;
        let ask = seen.ask_of_units("experiments/exposures.sql", &buckets, question.multiple_exposures);
        let answered = self.service.ask::<GroupedRow>(reader, ask).await?;
        let mut meta = self.meta(reader, &range, &[UNITS], &answered).await?;
        meta.partial = Some(buckets.partial(&range, now));
        let lines = Grid::new(&buckets, &answered.rows.rows).lines(&buckets, Measure::Count, None);
        Ok(answer::chart(Outline { measure: Measure::Count, unit: "units" }, &buckets, &lines, None, meta))
    }
}
