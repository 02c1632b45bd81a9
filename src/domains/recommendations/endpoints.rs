//! The endpoints of recommendations.

use axum::extract::State;

use super::RecommendationsService;
use super::schemas::{
    AcceptanceRateQuestion, Agent, AgentsQuestion, AssistedShareQuestion, AssistedTextPerSourceQuestion,
    FunnelQuestion, FunnelStep, SeriesQuestion, TotalsQuestion,
};
use crate::answer::{Chart, Table, Totals};
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Events over time
///
/// How many messages were sent, or recommendations shown, accepted or dismissed, in each bucket; split by source, platform, profile or agent.
#[utoipa::path(
    get,
    path = "/api/v1/recommendations/charts/series",
    tag = "recommendations",
    params(SeriesQuestion),
    responses((status = 200, description = "Events over time", body = Chart), QuestionProblems),
    security(("bearer" = ["recommendations:read"])),
)]
pub async fn series(
    reader: Reader,
    Valid(question): Valid<SeriesQuestion>,
    State(recommendations): State<RecommendationsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(recommendations.series(&reader, &question).await?))
}

/// Assisted text per source
///
/// Characters of sent messages that came from suggestions, per source category and bucket. The largest source comes first, which is the bottom of a stack.
#[utoipa::path(
    get,
    path = "/api/v1/recommendations/charts/assisted-text-per-source",
    tag = "recommendations",
    params(AssistedTextPerSourceQuestion),
    responses((status = 200, description = "Assisted text per source", body = Chart), QuestionProblems),
    security(("bearer" = ["recommendations:read"])),
)]
pub async fn assisted_text_per_source(
    reader: Reader,
    Valid(question): Valid<AssistedTextPerSourceQuestion>,
    State(recommendations): State<RecommendationsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(recommendations.assisted_text_per_source(&reader, &question).await?))
}

/// Acceptance rate
///
/// Accepted ÷ shown recommendations in each bucket, 0 to 1; null where none was shown.
#[utoipa::path(
    get,
    path = "/api/v1/recommendations/charts/acceptance-rate",
    tag = "recommendations",
    params(AcceptanceRateQuestion),
    responses((status = 200, description = "Acceptance rate", body = Chart), QuestionProblems),
    security(("bearer" = ["recommendations:read"])),
)]
pub async fn acceptance_rate(
    reader: Reader,
    Valid(question): Valid<AcceptanceRateQuestion>,
    State(recommendations): State<RecommendationsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(recommendations.acceptance_rate(&reader, &question).await?))
}

/// Assisted share
///
/// Characters from suggestions ÷ characters sent in each bucket, 0 to 1; null where nothing was sent.
#[utoipa::path(
    get,
    path = "/api/v1/recommendations/charts/assisted-share",
    tag = "recommendations",
    params(AssistedShareQuestion),
    responses((status = 200, description = "Assisted share", body = Chart), QuestionProblems),
    security(("bearer" = ["recommendations:read"])),
)]
pub async fn assisted_share(
    reader: Reader,
    Valid(question): Valid<AssistedShareQuestion>,
    State(recommendations): State<RecommendationsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(recommendations.assisted_share(&reader, &question).await?))
}

/// Funnel
///
/// Shown → accepted → sent unedited or edited, per source, with Wilson intervals of each rate.
#[utoipa::path(
    get,
    path = "/api/v1/recommendations/funnel",
    tag = "recommendations",
    params(FunnelQuestion),
    responses((status = 200, description = "Funnel", body = Table<FunnelStep>), QuestionProblems),
    security(("bearer" = ["recommendations:read"])),
)]
pub async fn funnel(
    reader: Reader,
    Valid(question): Valid<FunnelQuestion>,
    State(recommendations): State<RecommendationsService>,
) -> Result<Answer<Table<FunnelStep>>, ApiError> {
    Ok(Answer(recommendations.funnel(&reader, &question).await?))
}

/// Totals
///
/// The cards of the page, each beside its value in the previous period, or in the one that `compare` names.
#[utoipa::path(
    get,
    path = "/api/v1/recommendations/totals",
    tag = "recommendations",
    params(TotalsQuestion),
    responses((status = 200, description = "Totals", body = Totals), QuestionProblems),
    security(("bearer" = ["recommendations:read"])),
)]
pub async fn totals(
    reader: Reader,
    Valid(question): Valid<TotalsQuestion>,
    State(recommendations): State<RecommendationsService>,
) -> Result<Answer<Totals>, ApiError> {
    Ok(Answer(recommendations.totals(&reader, &question).await?))
}

/// Agents
///
/// What each agent sent and accepted: messages, assisted share, acceptance rate, characters saved.
#[utoipa::path(
    get,
    path = "/api/v1/recommendations/agents",
    tag = "recommendations",
    params(AgentsQuestion),
    responses((status = 200, description = "Agents", body = Table<Agent>), QuestionProblems),
    security(("bearer" = ["recommendations:read"])),
)]
pub async fn agents(
    reader: Reader,
    Valid(question): Valid<AgentsQuestion>,
    State(recommendations): State<RecommendationsService>,
) -> Result<Answer<Table<Agent>>, ApiError> {
    Ok(Answer(recommendations.agents(&reader, &question).await?))
}
