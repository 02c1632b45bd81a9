//! The endpoint of the totals of assistants.

use axum::extract::State;

use super::super::AssistantsService;
use super::schemas::TotalsQuestion;
use crate::answer::Totals;
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Totals
///
/// Runs, error rate, latency, conversations, calls of models and tools, tokens and cost, each beside its earlier value; and how much is not known.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/totals",
    tag = "assistants",
    params(TotalsQuestion),
    responses((status = 200, description = "Totals", body = Totals), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn totals(
    reader: Reader,
    Valid(question): Valid<TotalsQuestion>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Totals>, ApiError> {
    Ok(Answer(assistants.totals(&reader, &question).await?))
}
