//! The endpoint of anomalies.

use axum::extract::State;

use super::super::AssistantsService;
use super::schemas::{AnomaliesQuestion, Anomaly};
use crate::answer::Table;
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Anomalies
///
/// Days on which runs, error rate, latency or cost were unlike such days before: by robust scores against the same weekdays of the six weeks before, each with what was seen, what was expected and why. The most striking first; only days that are over.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/anomalies",
    tag = "assistants",
    params(AnomaliesQuestion),
    responses((status = 200, description = "Anomalies", body = Table<Anomaly>), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn anomalies(
    reader: Reader,
    Valid(question): Valid<AnomaliesQuestion>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Table<Anomaly>>, ApiError> {
    Ok(Answer(assistants.anomalies(&reader, &question).await?))
}
