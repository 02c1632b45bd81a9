//! What charts of an experiment show.

use chrono::Utc;

use super::super::ExperimentsService;
use super::super::analysis::Settings;
use super::super::notes::{GOAL, UNITS};
use super::super::service::{Arms, events, micros};
use super::cumulative;
use super::schemas::{ConversionQuestion, ConversionShown, ExposuresQuestion};
use crate::answer::{self, Chart, Grid, GroupedRow, Measure, Outline};
use crate::auth::Reader;
use crate::clickhouse::{Sql, Value};
use crate::service::AnswerError;

const CUMULATIVE: &str = "Each value is of all units since the start of the range, as it is known by the end of its bucket; bounds hold for as many looks as one likes.";

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

    pub async fn conversion(
        &self,
        reader: &Reader,
        id: &str,
        question: &ConversionQuestion,
    ) -> Result<Chart, AnswerError> {
        let now = Utc::now();
        let range = question.date_range.resolve(now)?;
        let buckets = question.aggregation.buckets(&range)?;
        let seen = self.seen(reader, id, &question.filters.conditions, &range).await?;
        let arms = Arms::new(&question.plan, &seen.variants)?;
        let mut ask = seen.ask_of_units("experiments/conversion.sql", &buckets, question.multiple_exposures);
        ask.joined = vec![("goals", events(&range, &question.goal.0))];
        ask.values.set("window", Value::Signed(micros(question.conversion_window.0)));
        ask.variables = vec![("value", Sql::constant("toNullable(1.)").into())];
        let answered = self.service.ask::<GroupedRow>(reader, ask).await?;
        let mut meta = self.meta(reader, &range, &[UNITS, GOAL, CUMULATIVE], &answered).await?;
        meta.partial = Some(buckets.partial(&range, now));
        let certainty = (question.sureness.alpha, Settings::default().sequential_tuning);
        let lines = cumulative::lines(&buckets, &answered.rows.rows, &arms, question.shown, certainty, now);
        let unit = match question.shown {
            ConversionShown::Rate => "ratio",
            ConversionShown::Lift => "relative",
        };
        Ok(answer::chart(Outline { measure: Measure::Ratio, unit }, &buckets, &lines, None, meta))
    }
}
