//! The endpoints of charts of an experiment.

use axum::extract::{Path, State};

use super::super::ExperimentsService;
use super::schemas::{ConversionQuestion, ExposuresQuestion};
use crate::answer::Chart;
use crate::auth::Reader;
use crate::error::{ApiError, ProblemBody, QuestionProblems};
use crate::http::{Answer, Valid};

/// Exposures of an experiment over time
///
/// Units by the time of their first exposure, and by variant.
#[utoipa::path(
    get,
    path = "/api/v1/experiments/{experiment_id}/charts/exposures",
    tag = "experiments",
    params(("experiment_id" = String, Path, description = "`data.experiment_id` of its exposures.", example = "reply-tone"), ExposuresQuestion),
    responses(
        (status = 200, description = "Chart", body = Chart),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        QuestionProblems,
    ),
    security(("bearer" = ["experiments:read"])),
)]
pub async fn exposures(
    reader: Reader,
    Path(experiment_id): Path<String>,
    Valid(question): Valid<ExposuresQuestion>,
    State(experiments): State<ExperimentsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(experiments.exposures(&reader, &experiment_id, &question).await?))
}

/// Conversion of an experiment over time
///
/// What is known by the end of each bucket, of all units exposed since the start of the range: units that did it by then ÷ units exposed by then. `<variant>:lower` and `<variant>:upper` bound it for as many looks as one likes (a confidence sequence); with `show=lift` they bound the relative lift, which differs from none where 0 lies outside.
#[utoipa::path(
    get,
    path = "/api/v1/experiments/{experiment_id}/charts/conversion",
    tag = "experiments",
    params(("experiment_id" = String, Path, description = "`data.experiment_id` of its exposures.", example = "reply-tone"), ConversionQuestion),
    responses(
        (status = 200, description = "Chart", body = Chart),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        QuestionProblems,
    ),
    security(("bearer" = ["experiments:read"])),
)]
pub async fn conversion(
    reader: Reader,
    Path(experiment_id): Path<String>,
    Valid(question): Valid<ConversionQuestion>,
    State(experiments): State<ExperimentsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(experiments.conversion(&reader, &experiment_id, &question).await?))
}
