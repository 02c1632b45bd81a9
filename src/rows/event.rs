//! Rows of `events`.

use chrono::serde::ts_microseconds;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Row, Table};
use crate::clickhouse::native::{Cells, ColumnOf, Type};
use crate::json::{Object, Text};

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event<'a> {
    pub event_id: Uuid,
    #[serde(with = "ts_microseconds")]
    pub time_utc: DateTime<Utc>,
    #[serde(borrow)]
    pub event: Text<'a>,
    pub profile_code: Option<Text<'a>>,
    pub platform_session_id: Option<Text<'a>>,
    pub platform: Option<Text<'a>>,
    pub agent_id: Option<Text<'a>>,
    pub agent_email: Option<Text<'a>>,
    pub agent_name: Option<Text<'a>>,
    pub visitor_id: Option<Text<'a>>,
    pub conversation_id: Option<Text<'a>>,
    pub data: Object<'a>,
    pub suggestions: Vec<Suggestion<'a>>,
}

/// A suggestion of a sent message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Suggestion<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    pub source: Text<'a>,
    pub len_text: u32,
    pub edited: bool,
    /// What else it said; stored as JSON text.
    pub rest: Object<'a>,
}

const WORD: Type = Type::Nullable(&Type::Word);
const TEXT: Type = Type::Nullable(&Type::Text);
const NUMBER: Type = Type::Nullable(&Type::Float64);
const WHOLE_NUMBER: Type = Type::Nullable(&Type::UInt32);

/// Fields of `data` that have one type in every event, sorted by their names.
pub const TYPED_PATHS: &[(&str, Type)] = &[
    ("assistant_id", WORD),
    ("assistant_version", WORD),
    ("direction", WORD),
    ("duration_ms", NUMBER),
    ("error_type", WORD),
    ("experiment_id", WORD),
    ("first_audio_ms", NUMBER),
    ("interrupted", Type::Nullable(&Type::Bool)),
    ("latency_ms", NUMBER),
    ("len_text", WHOLE_NUMBER),
    ("message", TEXT),
    ("model", WORD),
    ("model_ms", NUMBER),
    ("outcome", WORD),
    ("prompt_tokens", WHOLE_NUMBER),
    ("rank", WHOLE_NUMBER),
    ("recommendation_id", TEXT),
    ("response_tokens", WHOLE_NUMBER),
    ("source", WORD),
    ("speech_to_text_ms", NUMBER),
    ("text_length", WHOLE_NUMBER),
    ("text_to_speech_ms", NUMBER),
    ("transfer_reason", WORD),
    ("variant", WORD),
];

impl<'a> Row<'a> for Event<'a> {
    const TABLE: Table = Table::Events;
    const COLUMNS: &'static [ColumnOf] = &[
        ("event_id", Type::Uuid),
        ("time_utc", Type::Moment),
        ("event", Type::Word),
        ("profile_code", WORD),
        ("platform_session_id", TEXT),
        ("platform", WORD),
        ("agent_id", WORD),
        ("agent_email", WORD),
        ("agent_name", WORD),
        ("visitor_id", TEXT),
        ("conversation_id", TEXT),
        ("data", Type::Json(TYPED_PATHS)),
        ("suggestions.id", Type::List(&Type::Text)),
        ("suggestions.source", Type::List(&Type::Word)),
        ("suggestions.len_text", Type::List(&Type::UInt32)),
        ("suggestions.edited", Type::List(&Type::Bool)),
        ("suggestions.rest", Type::List(&Type::Text)),
        ("ingested_at", Type::Moment),
    ];

    fn put_id(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.event_id.as_bytes());
    }

    fn time(&self) -> DateTime<Utc> {
        self.time_utc
    }

    fn write(&self, accepted_at: DateTime<Utc>, cells: &mut impl Cells) {
        cells.uuid(self.event_id);
        cells.moment(self.time_utc);
        cells.text(&self.event);
        for text in [
            &self.profile_code,
            &self.platform_session_id,
            &self.platform,
            &self.agent_id,
            &self.agent_email,
            &self.agent_name,
            &self.visitor_id,
            &self.conversation_id,
        ] {
            cells.optional_text(text.as_deref());
        }
        cells.object(&self.data);
        cells.texts(self.suggestions.iter().map(|suggestion| &*suggestion.id));
        cells.texts(self.suggestions.iter().map(|suggestion| &*suggestion.source));
        cells.numbers(self.suggestions.iter().map(|suggestion| suggestion.len_text));
        cells.truths(self.suggestions.iter().map(|suggestion| suggestion.edited));
        let rest = |suggestion: &Suggestion<'_>| {
            if suggestion.rest.is_empty() { String::new() } else { suggestion.rest.to_string() }
        };
        let rests: Vec<String> = self.suggestions.iter().map(rest).collect();
        cells.texts(rests.iter().map(String::as_str));
        cells.moment(accepted_at);
    }
}
