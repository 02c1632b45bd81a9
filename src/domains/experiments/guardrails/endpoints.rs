//! The endpoint of guardrails.

use axum::extract::{Path, State};

use super::super::ExperimentsService;
use super::schemas::{Guardrails, GuardrailsQuestion};
use crate::auth::Reader;
use crate::error::{ApiError, ProblemBody, QuestionProblems};
use crate::http::{Answer, Valid};

/// Guardrails of an experiment
///
/// Did a variant make assistants wronger, slower or dearer? Counted are the spans of conversations in which units were exposed: no events but exposures are needed, which name their conversation. Units are compared by what they used altogether, so that many runs of one count as what they are.
#[utoipa::path(
    get,
    path = "/api/v1/experiments/{experiment_id}/guardrails",
    tag = "experiments",
    params(("experiment_id" = String, Path, description = "`data.experiment_id` of its exposures.", example = "reply-tone"), GuardrailsQuestion),
    responses(
        (status = 200, description = "The comparisons, and whether they are reason to stop", body = Guardrails),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        QuestionProblems,
    ),
    security(("bearer" = ["experiments:read"])),
)]
pub async fn guardrails(
    reader: Reader,
    Path(experiment_id): Path<String>,
    Valid(question): Valid<GuardrailsQuestion>,
    State(experiments): State<ExperimentsService>,
) -> Result<Answer<Guardrails>, ApiError> {
    Ok(Answer(experiments.guardrails(&reader, &experiment_id, &question).await?))
}
