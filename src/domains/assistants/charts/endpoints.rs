//! The endpoints of the charts of assistants.

use axum::extract::State;

use super::super::AssistantsService;
use super::schemas::{ChartQuestion, QuantilesQuestion, TokensQuestion};
use crate::answer::Chart;
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Runs
///
/// How often assistants ran, in each bucket. A run is a root span.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/charts/runs",
    tag = "assistants",
    params(ChartQuestion),
    responses((status = 200, description = "Runs", body = Chart), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn runs(
    reader: Reader,
    Valid(question): Valid<ChartQuestion>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(assistants.runs(&reader, &question).await?))
}

/// Error rate
///
/// Failed runs ÷ runs in each bucket, 0 to 1; null where there was none.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/charts/error-rate",
    tag = "assistants",
    params(ChartQuestion),
    responses((status = 200, description = "Error rate", body = Chart), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn error_rate(
    reader: Reader,
    Valid(question): Valid<ChartQuestion>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(assistants.error_rate(&reader, &question).await?))
}

/// Tokens
///
/// Tokens that calls of models used, in each bucket. Agents and workflows repeat what their children used, so only calls are counted.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/charts/tokens",
    tag = "assistants",
    params(TokensQuestion),
    responses((status = 200, description = "Tokens", body = Chart), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn tokens(
    reader: Reader,
    Valid(question): Valid<TokensQuestion>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(assistants.tokens(&reader, &question).await?))
}

/// Cost
///
/// What calls of models cost, in US dollars, in each bucket: what the sender said, else by the price book.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/charts/cost",
    tag = "assistants",
    params(ChartQuestion),
    responses((status = 200, description = "Cost", body = Chart), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn cost(
    reader: Reader,
    Valid(question): Valid<ChartQuestion>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(assistants.cost(&reader, &question).await?))
}

/// Latency
///
/// How long runs took, in milliseconds: p50, p75, p90, p95 and p99 in each bucket, or one of them by group; null where no run has ended.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/charts/latency",
    tag = "assistants",
    params(QuantilesQuestion),
    responses((status = 200, description = "Latency", body = Chart), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn latency(
    reader: Reader,
    Valid(question): Valid<QuantilesQuestion>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(assistants.latency(&reader, &question).await?))
}

/// Time to first token
///
/// How long callers of models waited for the first token, in milliseconds: p50 to p99 in each bucket, or one of them by group.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/charts/time-to-first-token",
    tag = "assistants",
    params(QuantilesQuestion),
    responses((status = 200, description = "Time to first token", body = Chart), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn time_to_first_token(
    reader: Reader,
    Valid(question): Valid<QuantilesQuestion>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(assistants.time_to_first_token(&reader, &question).await?))
}
