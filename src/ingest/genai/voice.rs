//! Voice: which spans are calls and turns of voice agents, and what they tell of how long callers waited.
//!
//! A sender says so itself by the attribute `voice_part`, `call` or `turn`, and tells the rest under the names that
//! events have (`first_audio_ms`, `interrupted`, `outcome` and so on). LiveKit Agents is known by its own names: its
//! `agent_session` is a call and its `agent_turn` a turn, whose model and voice tell their waits in spans below it.
//! Of OpenTelemetry's drafts `realtime_inference` is a turn, `speech_to_text` and `text_to_speech` are parts of one.

use super::{Column, Found, LONGEST_WAIT_MS, Said, values};
use crate::json::{Json, Text};
use crate::rows::{SpanColumns, VoiceColumns};

/// What LiveKit's names begin with; its times are seconds.
const LIVEKIT: &str = "lk.";

/// The voice columns of a span whose other columns are known.
pub fn columns(said: &Said<'_, '_>, found: &Found<'_, '_>, columns: &SpanColumns<'_>) -> VoiceColumns<'static> {
    let operation = &*columns.operation;
    let part = part(said, found, operation);
    let (is_call, is_turn) = (part == "call", part == "turn");
    // Names that anybody may use count on turns alone. LiveKit tells the delay of the transcript of the user's turn as
    // well, where it is 0 when it is not known: only what the agent's turn tells counts.
    let of_turn = |column: Column| if is_turn { wait(found, column) } else { None };
    let of_part = |column: Column| if is_livekits(found, column) { wait(found, column) } else { of_turn(column) };
    let of_operation = |name: &str, wait: Option<f64>| if operation == name { wait } else { None };
    let text = |column: Column, is_told: bool| if is_told { found.text(column) } else { Text::default() };
    let first_chunk = columns.time_to_first_token_ms;
    let mut voice = VoiceColumns {
        first_audio_ms: of_turn(Column::FirstAudio).or_else(|| of_operation("realtime_inference", first_chunk)),
        speech_to_text_ms: of_turn(Column::SpeechToText).or_else(|| of_operation("speech_to_text", duration(said))),
        model_ms: of_part(Column::ModelWait),
        text_to_speech_ms: of_part(Column::TextToSpeech)
            .or_else(|| of_operation("text_to_speech", first_chunk.or_else(|| duration(said)))),
        interrupted: found.value(Column::Interrupted).filter(|_| is_turn).and_then(truth),
        outcome: text(Column::Outcome, is_call),
        transfer_reason: text(Column::TransferReason, is_call),
        voice_part: part.into(),
        ..VoiceColumns::default()
    };
    let tells_a_wait = [voice.speech_to_text_ms, voice.model_ms, voice.text_to_speech_ms].iter().any(Option::is_some);
    voice.direction = text(Column::Direction, is_call || is_turn || tells_a_wait);
    voice
}

fn is_livekits(found: &Found<'_, '_>, column: Column) -> bool {
    found.name(column).starts_with(LIVEKIT)
}

fn part(said: &Said<'_, '_>, found: &Found<'_, '_>, operation: &str) -> &'static str {
    match &*found.text(Column::VoicePart) {
        "call" => return "call",
        "turn" => return "turn",
        _ => {}
    }
    let tells = |column: Column| is_livekits(found, column);
    let is_session = said.name == "agent_session"
        && ["lk.agent_label", "lk.agent_name", "lk.job_id"].iter().any(|name| said.attributes.get(name).is_some());
    if is_session {
        "call"
    } else if tells(Column::Interrupted) || tells(Column::FirstAudio) || operation == "realtime_inference" {
        "turn"
    } else {
        ""
    }
}

/// How long somebody waited, in milliseconds; none that cannot be.
fn wait(found: &Found<'_, '_>, column: Column) -> Option<f64> {
    let told = found.value(column).and_then(values::number)?;
    possible(if is_livekits(found, column) { told * 1e3 } else { told })
}

fn duration(said: &Said<'_, '_>) -> Option<f64> {
    possible((said.end_time? - said.start_time).num_microseconds()? as f64 / 1e3)
}

fn possible(millis: f64) -> Option<f64> {
    (0.0..=LONGEST_WAIT_MS).contains(&millis).then_some(millis)
}

fn truth(value: &Json<'_>) -> Option<bool> {
    match value {
        Json::Bool(truth) => Some(*truth),
        Json::Text(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}
