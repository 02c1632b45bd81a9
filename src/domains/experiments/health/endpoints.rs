//! The endpoint of the health of an experiment.

use axum::extract::{Path, State};

use super::super::ExperimentsService;
use super::schemas::{HealthQuestion, HealthReport};
use crate::auth::Reader;
use crate::error::{ApiError, ProblemBody, QuestionProblems};
use crate::http::{Answer, Valid};

/// Health of an experiment
///
/// Whether units came to the variants as planned and, where they did not, on which days, platforms and profiles; how many were exposed to several variants, and to which; whether other units come now than came at first; and how much of it came in late. Units belong to the range in which they were first exposed. `status` and `reasons` say what it comes to; `docs/experiments.md` has every definition, formula and threshold.
#[utoipa::path(
    get,
    path = "/api/v1/experiments/{experiment_id}/health",
    tag = "experiments",
    params(("experiment_id" = String, Path, description = "`data.experiment_id` of its exposures.", example = "reply-tone"), HealthQuestion),
    responses(
        (status = 200, description = "The report", body = HealthReport),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        QuestionProblems,
    ),
    security(("bearer" = ["experiments:read"])),
)]
pub async fn health(
    reader: Reader,
    Path(experiment_id): Path<String>,
    Valid(question): Valid<HealthQuestion>,
    State(experiments): State<ExperimentsService>,
) -> Result<Answer<HealthReport>, ApiError> {
    Ok(Answer(experiments.health(&reader, &experiment_id, &question).await?))
}
