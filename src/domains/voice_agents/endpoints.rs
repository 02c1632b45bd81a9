//! The endpoints of voice agents.

use axum::extract::State;

use super::VoiceAgentsService;
use super::schemas::{
    Call, CallsOverTimeQuestion, DeadAirQuestion, RateQuestion, ResponseLatencyQuestion, TableQuestion, TotalsQuestion,
    TransferReason,
};
use crate::answer::{Chart, Table, Totals};
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Totals
///
/// Calls and their outcomes, time to first audio, interruptions and dead air, each beside its earlier value; and how much is not known.
#[utoipa::path(
    get,
    path = "/api/v1/voice-agents/totals",
    tag = "voice-agents",
    params(TotalsQuestion),
    responses((status = 200, description = "Totals", body = Totals), QuestionProblems),
    security(("bearer" = ["voice-agents:read"])),
)]
pub async fn totals(
    reader: Reader,
    Valid(question): Valid<TotalsQuestion>,
    State(voice_agents): State<VoiceAgentsService>,
) -> Result<Answer<Totals>, ApiError> {
    Ok(Answer(voice_agents.totals(&reader, &question).await?))
}

/// Calls over time
///
/// Calls that ended, in each bucket, by outcome or by what else `split_by` names.
#[utoipa::path(
    get,
    path = "/api/v1/voice-agents/charts/calls",
    tag = "voice-agents",
    params(CallsOverTimeQuestion),
    responses((status = 200, description = "Calls", body = Chart), QuestionProblems),
    security(("bearer" = ["voice-agents:read"])),
)]
pub async fn calls_over_time(
    reader: Reader,
    Valid(question): Valid<CallsOverTimeQuestion>,
    State(voice_agents): State<VoiceAgentsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(voice_agents.calls_over_time(&reader, &question).await?))
}

/// Containment rate
///
/// Contained calls ÷ ended calls whose outcome is told, in each bucket, 0 to 1; null where there was none.
#[utoipa::path(
    get,
    path = "/api/v1/voice-agents/charts/containment-rate",
    tag = "voice-agents",
    params(RateQuestion),
    responses((status = 200, description = "Containment rate", body = Chart), QuestionProblems),
    security(("bearer" = ["voice-agents:read"])),
)]
pub async fn containment_rate(
    reader: Reader,
    Valid(question): Valid<RateQuestion>,
    State(voice_agents): State<VoiceAgentsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(voice_agents.containment_rate(&reader, &question).await?))
}

/// Response latency
///
/// How long callers waited for the first audio of an answer, and for its parts, in milliseconds: p50 and p95 of each in each bucket, or one quantile of one of them by group; null where no turn tells.
#[utoipa::path(
    get,
    path = "/api/v1/voice-agents/charts/response-latency",
    tag = "voice-agents",
    params(ResponseLatencyQuestion),
    responses((status = 200, description = "Response latency", body = Chart), QuestionProblems),
    security(("bearer" = ["voice-agents:read"])),
)]
pub async fn response_latency(
    reader: Reader,
    Valid(question): Valid<ResponseLatencyQuestion>,
    State(voice_agents): State<VoiceAgentsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(voice_agents.response_latency(&reader, &question).await?))
}

/// Interruption rate
///
/// Interrupted turns ÷ turns that tell whether they were, in each bucket, 0 to 1; null where there was none.
#[utoipa::path(
    get,
    path = "/api/v1/voice-agents/charts/interruption-rate",
    tag = "voice-agents",
    params(RateQuestion),
    responses((status = 200, description = "Interruption rate", body = Chart), QuestionProblems),
    security(("bearer" = ["voice-agents:read"])),
)]
pub async fn interruption_rate(
    reader: Reader,
    Valid(question): Valid<RateQuestion>,
    State(voice_agents): State<VoiceAgentsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(voice_agents.interruption_rate(&reader, &question).await?))
}

/// Dead air
///
/// Which share of the turns made callers wait for more than 3,000 ms, or which share of the time of calls they waited so, in each bucket.
#[utoipa::path(
    get,
    path = "/api/v1/voice-agents/charts/dead-air",
    tag = "voice-agents",
    params(DeadAirQuestion),
    responses((status = 200, description = "Dead air", body = Chart), QuestionProblems),
    security(("bearer" = ["voice-agents:read"])),
)]
pub async fn dead_air(
    reader: Reader,
    Valid(question): Valid<DeadAirQuestion>,
    State(voice_agents): State<VoiceAgentsService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(voice_agents.dead_air(&reader, &question).await?))
}

/// Calls
///
/// Calls that have ended, the newest first, each with how its turns went.
#[utoipa::path(
    get,
    path = "/api/v1/voice-agents/calls",
    tag = "voice-agents",
    params(TableQuestion<Call>),
    responses((status = 200, description = "Calls", body = Table<Call>), QuestionProblems),
    security(("bearer" = ["voice-agents:read"])),
)]
pub async fn calls(
    reader: Reader,
    Valid(question): Valid<TableQuestion<Call>>,
    State(voice_agents): State<VoiceAgentsService>,
) -> Result<Answer<Table<Call>>, ApiError> {
    Ok(Answer(voice_agents.calls(&reader, &question).await?))
}

/// Transfer reasons
///
/// Why calls were transferred: how many for each reason, and which share of all transferred calls that is.
#[utoipa::path(
    get,
    path = "/api/v1/voice-agents/transfer-reasons",
    tag = "voice-agents",
    params(TableQuestion<TransferReason>),
    responses((status = 200, description = "Transfer reasons", body = Table<TransferReason>), QuestionProblems),
    security(("bearer" = ["voice-agents:read"])),
)]
pub async fn transfer_reasons(
    reader: Reader,
    Valid(question): Valid<TableQuestion<TransferReason>>,
    State(voice_agents): State<VoiceAgentsService>,
) -> Result<Answer<Table<TransferReason>>, ApiError> {
    Ok(Answer(voice_agents.transfer_reasons(&reader, &question).await?))
}
