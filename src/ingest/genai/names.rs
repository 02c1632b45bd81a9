//! The names that attributes of spans have, by the column that they fill.
//!
//! Emitters in the wild speak three generations of the GenAI conventions, and vendors their own. For each
//! column the first name that is there counts: the present conventions first, then older and vendors' names.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A column that attributes fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    Operation,
    Provider,
    Model,
    ModelTemperature,
    InputTokens,
    OutputTokens,
    CachedInputTokens,
    TimeToFirstToken,
    ConversationId,
    AssistantCode,
    AgentId,
    AssistantVersion,
    ToolName,
    Input,
    Output,
    ErrorType,
    Cost,
    UserId,
    Environment,
    EventType,
    EvaluationId,
    ProfileCode,
    VoicePart,
    FirstAudio,
    SpeechToText,
    ModelWait,
    TextToSpeech,
    Interrupted,
    Outcome,
    TransferReason,
    Direction,
}

pub const COLUMNS: usize = Column::Direction as usize + 1;

/// The names of each column, the first that is there counts.
pub const NAMES: [(Column, &str, &[&str]); COLUMNS] = [
    (
        Column::Operation,
        "operation",
        &[
            "gen_ai.operation.name",
            "llm.request.type",
            "traceloop.span.kind",
            "openinference.span.kind",
            "ai.operationId",
        ],
    ),
    (Column::Provider, "provider", &["gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"]),
    (
        Column::Model,
        "model",
        &[
            "gen_ai.response.model",
            "gen_ai.request.model",
            "llm.model_name",
            "ai.model.id",
            "model",
            "llm.invocation_parameters",
        ],
    ),
    (Column::ModelTemperature, "model_temperature", &["gen_ai.request.temperature", "llm.invocation_parameters"]),
    (
        Column::InputTokens,
        "input_tokens",
        &[
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.usage.prompt_tokens",
            "llm.token_count.prompt",
            "ai.usage.promptTokens",
            "ai.usage.inputTokens",
            "tokens.prompt",
            "tokens_prompt",
        ],
    ),
    (
        Column::OutputTokens,
        "output_tokens",
        &[
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.usage.completion_tokens",
            "llm.token_count.completion",
            "ai.usage.completionTokens",
            "ai.usage.outputTokens",
            "tokens.completion",
            "tokens_completion",
        ],
    ),
    (
        Column::CachedInputTokens,
        "cached_input_tokens",
        &[
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "llm.token_count.prompt_details.cache_read",
            "ai.usage.cachedInputTokens",
            "input_cached_tokens",
        ],
    ),
    (
        Column::TimeToFirstToken,
        "time_to_first_token_ms",
        &["gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token", "ai.response.msToFirstChunk"],
    ),
    (
        Column::ConversationId,
        "conversation_id",
        &["gen_ai.conversation.id", "session.id", "conversation_id", "langfuse.session.id"],
    ),
    (Column::AssistantCode, "assistant_code", &["gen_ai.agent.name", "assistant_code", "agent", "lk.agent_label"]),
    (Column::AgentId, "agent_id", &["gen_ai.agent.id"]),
    (Column::AssistantVersion, "assistant_version", &["gen_ai.agent.version", "service.version", "assistant_version"]),
    (Column::ToolName, "tool_name", &["gen_ai.tool.name", "tool.name", "tool_name", "ai.toolCall.name"]),
    (
        Column::Input,
        "input",
        &[
            "gen_ai.input.messages",
            "gen_ai.prompt",
            "input.value",
            "traceloop.entity.input",
            "ai.prompt.messages",
            "ai.prompt",
        ],
    ),
    (
        Column::Output,
        "output",
        &["gen_ai.output.messages", "gen_ai.completion", "output.value", "traceloop.entity.output", "ai.response.text"],
    ),
    (Column::ErrorType, "error_type", &["error.type", "exception.type"]),
    (Column::Cost, "cost_usd", &["gen_ai.usage.cost", "cost.usd", "cost_usd", "gen_ai.usage.cost.amount"]),
    (Column::UserId, "user_id_hash", &["user.id", "user_id", "enduser.id"]),
    (Column::Environment, "environment", &["deployment.environment.name", "deployment.environment", "env"]),
    (Column::EventType, "event_type", &["event_type", "event.type"]),
    (Column::EvaluationId, "evaluation_id", &["gen_ai.evaluation.id", "evaluation_id"]),
    (Column::ProfileCode, "profile_code", &["profile_code"]),
    // Of voice agents: `voice.rs` says on which spans they count. Names that begin with `lk.` are LiveKit's.
    (Column::VoicePart, "voice_part", &["voice_part"]),
    (Column::FirstAudio, "first_audio_ms", &["first_audio_ms", "lk.e2e_latency"]),
    (Column::SpeechToText, "speech_to_text_ms", &["speech_to_text_ms", "lk.transcription_delay"]),
    (Column::ModelWait, "model_ms", &["model_ms", "lk.response.ttft"]),
    (Column::TextToSpeech, "text_to_speech_ms", &["text_to_speech_ms", "lk.response.ttfb"]),
    (Column::Interrupted, "interrupted", &["interrupted", "lk.interrupted"]),
    (Column::Outcome, "outcome", &["call.outcome", "outcome"]),
    (Column::TransferReason, "transfer_reason", &["call.transfer_reason", "transfer_reason"]),
    (Column::Direction, "direction", &["call.direction", "direction"]),
];

/// Names that say who somebody is. Their values are hashed, wherever they stand.
pub const PERSONS: [&str; 6] = ["user.id", "user_id", "enduser.id", "user.name", "user.full_name", "gen_ai.user"];

/// What a name is for: columns, and how many names of theirs come before it.
pub fn columns_of(name: &str) -> &'static [(Column, u8)] {
    static INDEX: LazyLock<HashMap<&'static str, Vec<(Column, u8)>>> = LazyLock::new(|| {
        let mut index: HashMap<&str, Vec<(Column, u8)>> = HashMap::new();
        for (column, _, names) in NAMES {
            for (rank, name) in names.iter().enumerate() {
                index.entry(name).or_default().push((column, rank as u8));
            }
        }
        index
    });
    INDEX.get(name).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_in_its_place() {
        for (index, (column, ..)) in NAMES.iter().enumerate() {
            assert_eq!(*column as usize, index);
        }
    }
}
