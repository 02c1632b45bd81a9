//! What results are made of.

use chrono::Utc;

use super::super::ExperimentsService;
use super::super::analysis::analyze;
use super::super::notes::{GOAL, UNITS};
use super::super::service::{Arms, Judged};
use super::schemas::{ExperimentResults, ResultsQuestion};
use crate::auth::Reader;
use crate::service::AnswerError;

impl ExperimentsService {
    pub async fn results(
        &self,
        reader: &Reader,
        id: &str,
        question: &ResultsQuestion,
    ) -> Result<ExperimentResults, AnswerError> {
        let range = question.date_range.resolve(Utc::now())?;
        let seen = self.seen(reader, id, &question.filters.conditions, &range).await?;
        let arms = Arms::new(&question.plan, &seen.variants)?;
        let counted = (question.conversion_window, question.multiple_exposures);
        let answered = self.metric(reader, &seen, &question.metric, counted).await?;
        let rows = &answered.rows.rows;
        let metric = arms.observed(question.metric.kind.name(), &question.metric, question.direction, rows);
        let judged = Judged {
            test: question.test,
            correction: question.correction,
            sureness: question.sureness,
            is_running: seen.is_running,
        };
        let experiment = arms.experiment(vec![(metric, rows)], judged, question.multiple_exposures);
        let meta = self.meta(reader, &range, &[UNITS, GOAL], &answered).await?;
        Ok(ExperimentResults { analysis: analyze(&experiment), meta })
    }
}
