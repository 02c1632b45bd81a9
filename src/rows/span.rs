//! Rows of `assistants_tracing_spans`.

use chrono::serde::{ts_microseconds, ts_microseconds_option};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Row, Table};
use crate::clickhouse::native::{Cells, ColumnOf, Type};
use crate::json::{Object, Text};

/// A span as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Span<'a> {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    /// Of a root span: none.
    pub parent_id: Option<[u8; 8]>,
    #[serde(borrow)]
    pub name: Text<'a>,
    pub kind: Text<'a>,
    #[serde(with = "ts_microseconds")]
    pub start_time: DateTime<Utc>,
    /// None when it is not told, or cannot be.
    #[serde(with = "ts_microseconds_option")]
    pub end_time: Option<DateTime<Utc>>,
    pub status_code: Text<'a>,
    pub status_description: Text<'a>,
    pub columns: SpanColumns<'a>,
    pub attributes: Object<'a>,
    pub context: Object<'a>,
    pub events: Vec<Object<'a>>,
    pub links: Vec<Object<'a>>,
    pub resource: Object<'a>,
}

/// The columns that attributes fill.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SpanColumns<'a> {
    #[serde(borrow)]
    pub conversation_id: Text<'a>,
    pub agent_id: Text<'a>,
    pub assistant_code: Text<'a>,
    pub assistant_version: Text<'a>,
    pub evaluation_id: Text<'a>,
    pub event_type: Text<'a>,
    pub operation: Text<'a>,
    pub provider: Text<'a>,
    pub model: Text<'a>,
    pub model_temperature: Option<f32>,
    pub input: Text<'a>,
    pub output: Text<'a>,
    pub input_tokens: Option<u32>,
    pub output_tokens: Option<u32>,
    pub cached_input_tokens: Option<u32>,
    /// US dollars, in billionths.
    pub cost_billionths: Option<i64>,
    pub time_to_first_token_ms: Option<f64>,
    pub tool_name: Text<'a>,
    pub error_type: Text<'a>,
    pub user_id_hash: Text<'a>,
    pub environment: Text<'a>,
    pub profile_code: Option<Text<'a>>,
    pub voice: VoiceColumns<'a>,
}

/// The columns that spans of voice agents fill.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VoiceColumns<'a> {
    /// `call`, `turn`, or empty; waits may be told by spans that are neither.
    #[serde(borrow)]
    pub voice_part: Text<'a>,
    pub first_audio_ms: Option<f64>,
    pub speech_to_text_ms: Option<f64>,
    pub model_ms: Option<f64>,
    pub text_to_speech_ms: Option<f64>,
    /// None when the span does not tell.
    pub interrupted: Option<bool>,
    pub outcome: Text<'a>,
    pub transfer_reason: Text<'a>,
    pub direction: Text<'a>,
}

impl VoiceColumns<'_> {
    /// Whether an attribute that stands for this column fills it; those of other columns always do.
    pub fn takes(&self, column: &str) -> bool {
        match column {
            "voice_part" => !self.voice_part.is_empty(),
            "first_audio_ms" => self.first_audio_ms.is_some(),
            "speech_to_text_ms" => self.speech_to_text_ms.is_some(),
            "model_ms" => self.model_ms.is_some(),
            "text_to_speech_ms" => self.text_to_speech_ms.is_some(),
            "interrupted" => self.interrupted.is_some(),
            "outcome" => !self.outcome.is_empty(),
            "transfer_reason" => !self.transfer_reason.is_empty(),
            "direction" => !self.direction.is_empty(),
            _ => true,
        }
    }
}

impl<'a> Row<'a> for Span<'a> {
    const TABLE: Table = Table::Spans;
    const COLUMNS: &'static [ColumnOf] = &[
        ("name", Type::Word),
        ("span_id", Type::Text),
        ("trace_id", Type::Text),
        ("parent_id", Type::Text),
        ("conversation_id", Type::Text),
        ("kind", Type::Word),
        ("start_time", Type::Moment),
        ("end_time", Type::Moment),
        ("span_start_time", Type::Nullable(&Type::Moment)),
        ("span_end_time", Type::Nullable(&Type::Moment)),
        ("status_code", Type::Word),
        ("status_description", Type::Text),
        ("agent_id", Type::Text),
        ("assistant_code", Type::Word),
        ("evaluation_id", Type::Text),
        ("event_type", Type::Word),
        ("model", Type::Word),
        ("model_temperature", Type::Nullable(&Type::Float32)),
        ("input", Type::Text),
        ("output", Type::Text),
        ("input_tokens", Type::Nullable(&Type::UInt32)),
        ("output_tokens", Type::Nullable(&Type::UInt32)),
        ("attributes", Type::Json(&[])),
        ("context", Type::Json(&[])),
        ("status", Type::Json(&[])),
        ("events", Type::List(&Type::Json(&[]))),
        ("links", Type::List(&Type::Json(&[]))),
        ("resource", Type::Json(&[])),
        ("profile_code", Type::Nullable(&Type::Word)),
        ("provider", Type::Word),
        ("operation", Type::Word),
        ("tool_name", Type::Word),
        ("error_type", Type::Word),
        ("user_id_hash", Type::Text),
        ("assistant_version", Type::Word),
        ("environment", Type::Word),
        ("cached_input_tokens", Type::Nullable(&Type::UInt32)),
        ("cost_usd", Type::Nullable(&Type::Money)),
        ("time_to_first_token_ms", Type::Nullable(&Type::Float64)),
        ("voice_part", Type::Word),
        ("first_audio_ms", Type::Nullable(&Type::Float64)),
        ("speech_to_text_ms", Type::Nullable(&Type::Float64)),
        ("model_ms", Type::Nullable(&Type::Float64)),
        ("text_to_speech_ms", Type::Nullable(&Type::Float64)),
        ("interrupted", Type::Nullable(&Type::Bool)),
        ("outcome", Type::Word),
        ("transfer_reason", Type::Word),
        ("direction", Type::Word),
        ("ingested_at", Type::Moment),
    ];

    fn put_id(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.trace_id);
        into.extend_from_slice(&self.span_id);
    }

    fn time(&self) -> DateTime<Utc> {
        self.start_time
    }

    fn write(&self, accepted_at: DateTime<Utc>, cells: &mut impl Cells) {
        let columns = &self.columns;
        cells.text(&self.name);
        cells.text(&hex(&self.span_id));
        cells.text(&hex(&self.trace_id));
        cells.text(&self.parent_id.map(|id| hex(&id)).unwrap_or_default());
        cells.text(&columns.conversation_id);
        cells.text(&self.kind);
        cells.moment(self.start_time);
        cells.moment(self.end_time.unwrap_or(self.start_time));
        cells.optional_moment(Some(self.start_time));
        cells.optional_moment(self.end_time);
        cells.text(&self.status_code);
        cells.text(&self.status_description);
        cells.text(&columns.agent_id);
        cells.text(&columns.assistant_code);
        cells.text(&columns.evaluation_id);
        cells.text(&columns.event_type);
        cells.text(&columns.model);
        cells.optional_f32(columns.model_temperature);
        cells.text(&columns.input);
        cells.text(&columns.output);
        cells.optional_u32(columns.input_tokens);
        cells.optional_u32(columns.output_tokens);
        cells.object(&self.attributes);
        cells.object(&self.context);
        cells.object(&self.status());
        cells.objects(self.events.iter());
        cells.objects(self.links.iter());
        cells.object(&self.resource);
        cells.optional_text(columns.profile_code.as_deref());
        cells.text(&columns.provider);
        cells.text(&columns.operation);
        cells.text(&columns.tool_name);
        cells.text(&columns.error_type);
        cells.text(&columns.user_id_hash);
        cells.text(&columns.assistant_version);
        cells.text(&columns.environment);
        cells.optional_u32(columns.cached_input_tokens);
        cells.optional_money(columns.cost_billionths);
        cells.optional_f64(columns.time_to_first_token_ms);
        let voice = &columns.voice;
        cells.text(&voice.voice_part);
        cells.optional_f64(voice.first_audio_ms);
        cells.optional_f64(voice.speech_to_text_ms);
        cells.optional_f64(voice.model_ms);
        cells.optional_f64(voice.text_to_speech_ms);
        cells.optional_truth(voice.interrupted);
        cells.text(&voice.outcome);
        cells.text(&voice.transfer_reason);
        cells.text(&voice.direction);
        cells.moment(accepted_at);
    }
}

impl Span<'_> {
    fn status(&self) -> Object<'_> {
        let mut status = Object::from([("code", (&*self.status_code).into())]);
        if !self.status_description.is_empty() {
            status.insert("message", &*self.status_description);
        }
        status
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
