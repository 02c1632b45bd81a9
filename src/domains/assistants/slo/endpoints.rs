//! The endpoint of service levels.

use axum::extract::State;

use super::super::AssistantsService;
use super::schemas::{ServiceLevel, SloQuestion};
use crate::answer::Table;
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Service levels
///
/// What assistants reach of their objectives (setting `objectives`) over the 30 days before `at`: availability, latency and cost per run, what is left of each error budget, and how fast it burns in windows from five minutes to three days. The most urgent first. Without runs the state is `no_data`.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/slo",
    tag = "assistants",
    params(SloQuestion),
    responses((status = 200, description = "Service levels", body = Table<ServiceLevel>), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn slo(
    reader: Reader,
    Valid(question): Valid<SloQuestion>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Table<ServiceLevel>>, ApiError> {
    Ok(Answer(assistants.slo(&reader, &question).await?))
}
