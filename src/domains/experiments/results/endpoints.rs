//! The endpoint of results.

use axum::extract::{Path, State};

use super::super::ExperimentsService;
use super::schemas::{ExperimentResults, ResultsQuestion};
use crate::auth::Reader;
use crate::error::{ApiError, ProblemBody, QuestionProblems};
use crate::http::{Answer, Valid};

/// Results of an experiment
///
/// What the units of each variant did after their first exposure, beside those of the baseline: tests, intervals, whether units came as planned, and a decision with its reasons. Units belong to the range in which they were first exposed; what they did counts within `conversion_window`, and before the end of the range. `docs/experiments.md` has every definition and formula.
#[utoipa::path(
    get,
    path = "/api/v1/experiments/{experiment_id}/results",
    tag = "experiments",
    params(("experiment_id" = String, Path, description = "`data.experiment_id` of its exposures.", example = "reply-tone"), ResultsQuestion),
    responses(
        (status = 200, description = "The analysis", body = ExperimentResults),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        QuestionProblems,
    ),
    security(("bearer" = ["experiments:read"])),
)]
pub async fn results(
    reader: Reader,
    Path(experiment_id): Path<String>,
    Valid(question): Valid<ResultsQuestion>,
    State(experiments): State<ExperimentsService>,
) -> Result<Answer<ExperimentResults>, ApiError> {
    Ok(Answer(experiments.results(&reader, &experiment_id, &question).await?))
}
