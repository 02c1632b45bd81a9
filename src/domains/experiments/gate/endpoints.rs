//! The endpoint of gates.

use axum::extract::{Path, State};

use super::super::ExperimentsService;
use super::schemas::{GateAnswer, GateQuestion};
use crate::auth::Reader;
use crate::error::{ApiError, ProblemBody, QuestionProblems};
use crate::http::{Answer, Valid};

/// Gate of an experiment
///
/// May a variant go on? For automation: `pass` when each limit is kept for certain, `roll_back` when one is exceeded for certain, `hold` until that can be told. Counted are events `interaction` and `error` that name experiment and variant, whoever had them, from sums by quarters of an hour.
#[utoipa::path(
    get,
    path = "/api/v1/experiments/{experiment_id}/gate",
    tag = "experiments",
    params(("experiment_id" = String, Path, description = "`data.experiment_id` of its events.", example = "reply-tone"), GateQuestion),
    responses(
        (status = 200, description = "The answer, and what it rests on", body = GateAnswer),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        QuestionProblems,
    ),
    security(("bearer" = ["experiments:read"])),
)]
pub async fn gate(
    reader: Reader,
    Path(experiment_id): Path<String>,
    Valid(question): Valid<GateQuestion>,
    State(experiments): State<ExperimentsService>,
) -> Result<Answer<GateAnswer>, ApiError> {
    Ok(Answer(experiments.gate(&reader, &experiment_id, &question).await?))
}
