//! The endpoint of regressions.

use axum::extract::State;

use super::super::AssistantsService;
use super::schemas::{Regressions, RegressionsQuestion};
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Regressions
///
/// A candidate version, or model, beside a baseline: error rate, latency, tokens and cost, of all and of each assistant, each with a test; p-values are adjusted for their number. With errors that have become more frequent, how differently both were used, and a verdict with its reasons.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/regressions",
    tag = "assistants",
    params(RegressionsQuestion),
    responses((status = 200, description = "Regressions", body = Regressions), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn regressions(
    reader: Reader,
    Valid(question): Valid<RegressionsQuestion>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Regressions>, ApiError> {
    Ok(Answer(assistants.regressions(&reader, &question).await?))
}
