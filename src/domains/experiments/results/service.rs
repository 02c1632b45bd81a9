//! What results are made of.

use chrono::Utc;

use super::super::ExperimentsService;
use super::super::analysis::{CorrectionScope, Role, analyze};
use super::super::notes::{EVENTS, GOAL, UNITS};
use super::super::schemas::MetricKind;
use super::super::service::{Arms, Came, Judged, Purpose};
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
        let purpose = Purpose {
            id: question.metric.kind.name().to_owned(),
            role: Role::Goal,
            direction: question.direction,
            minimum_effect: None,
        };
        let metrics = vec![arms.observed_events(purpose, &question.metric, rows)];
        let judged = Judged {
            test: question.test,
            correction: question.correction,
            correction_scope: CorrectionScope::All,
            sureness: question.sureness,
            is_running: seen.is_running,
        };
        let experiment = arms.experiment(metrics, &Came::of(rows), judged, question.multiple_exposures);
        let notes: &[&str] = if question.metric.kind == MetricKind::EventRatio { &[EVENTS] } else { &[UNITS, GOAL] };
        let notes: Vec<&str> = notes.iter().copied().chain(judged.note()).collect();
        let meta = self.meta(reader, &range, &notes, &answered).await?;
        Ok(ExperimentResults { analysis: analyze(&experiment), meta })
    }
}
