//! What analyses by several metrics are made of.

use chrono::Utc;
use futures::{StreamExt, TryStreamExt, stream};

use super::super::ExperimentsService;
use super::super::analysis::analyze;
use super::super::notes::{EVENTS, GOAL, UNITS};
use super::super::results::schemas::ExperimentResults;
use super::super::schemas::MetricKind;
use super::super::service::{Arms, Came, Judged, Purpose};
use super::schemas::{AskedMetric, MetricsQuestion};
use crate::auth::Reader;
use crate::service::{AnswerError, add_cost};

/// Metrics that are asked for at the same time: more would keep others waiting.
const AT_ONCE: usize = 2;

impl ExperimentsService {
    pub async fn analysis(
        &self,
        reader: &Reader,
        id: &str,
        question: &MetricsQuestion,
        metrics: &[AskedMetric],
    ) -> Result<ExperimentResults, AnswerError> {
        let range = question.date_range.resolve(Utc::now())?;
        let seen = self.seen(reader, id, &question.filters.conditions, &range).await?;
        let arms = Arms::new(&question.plan, &seen.variants)?;
        let counted = (question.conversion_window, question.multiple_exposures);
        let asked: Vec<_> = metrics.iter().map(|asked| self.metric(reader, &seen, &asked.metric, counted)).collect();
        let answered: Vec<_> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let observed = metrics.iter().zip(&answered).map(|(asked, answered)| {
            let purpose = Purpose {
                id: asked.id.clone(),
                role: asked.role,
                direction: asked.direction,
                minimum_effect: asked.minimum_effect,
            };
            arms.observed_events(purpose, &asked.metric, &answered.rows.rows)
        });
        let judged = Judged {
            test: question.test,
            correction: question.correction,
            correction_scope: question.correction_scope,
            sureness: question.sureness,
            is_running: seen.is_running,
        };
        // Exposures by event are of other units than first exposures.
        let of_units = metrics.iter().position(|asked| asked.metric.kind != MetricKind::EventRatio).unwrap_or(0);
        let came = Came::of(answered.get(of_units).map_or(&[], |answered| &answered.rows.rows));
        let experiment = arms.experiment(observed.collect(), &came, judged, question.multiple_exposures);
        let Some((first, others)) = answered.split_first() else { unreachable!("a body without metrics is refused") };
        let is_of_events = |asked: &AskedMetric| asked.metric.kind == MetricKind::EventRatio;
        let mut notes = if metrics.iter().all(is_of_events) { Vec::new() } else { vec![UNITS, GOAL] };
        notes.extend(metrics.iter().any(is_of_events).then_some(EVENTS));
        notes.extend(judged.note());
        let mut meta = self.meta(reader, &range, &notes, first).await?;
        others.iter().for_each(|answered| add_cost(answered, &mut meta));
        Ok(ExperimentResults { analysis: analyze(&experiment), meta })
    }
}
