//! The endpoint of analyses by several metrics.

use axum::extract::{Path, State};

use super::super::ExperimentsService;
use super::super::results::schemas::ExperimentResults;
use super::schemas::{AskedMetrics, MetricsBody, MetricsQuestion};
use crate::auth::Reader;
use crate::error::{ApiError, BodyQuestionProblems, ProblemBody};
use crate::http::{Answer, Valid, ValidBody};

/// Results of an experiment, by several metrics
///
/// Goals that are to get better and guardrails that are not to get worse, analysed together: p-values are adjusted for all of them, and the decision weighs all of them. Metrics are in the body, everything else as with `results`.
#[utoipa::path(
    post,
    path = "/api/v1/experiments/{experiment_id}/analysis",
    tag = "experiments",
    params(("experiment_id" = String, Path, description = "`data.experiment_id` of its exposures.", example = "reply-tone"), MetricsQuestion),
    request_body(content = MetricsBody, description = "At most 20 metrics"),
    responses(
        (status = 200, description = "The analysis", body = ExperimentResults),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        BodyQuestionProblems,
    ),
    security(("bearer" = ["experiments:read"])),
)]
pub async fn analysis(
    reader: Reader,
    Path(experiment_id): Path<String>,
    Valid(question): Valid<MetricsQuestion>,
    State(experiments): State<ExperimentsService>,
    ValidBody(AskedMetrics(metrics)): ValidBody<AskedMetrics>,
) -> Result<Answer<ExperimentResults>, ApiError> {
    Ok(Answer(experiments.analysis(&reader, &experiment_id, &question, &metrics).await?))
}
