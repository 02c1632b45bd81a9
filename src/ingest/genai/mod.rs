//! The span normaliser: attributes of three generations of conventions become columns.

mod coverage;
mod names;
mod prices;
mod shared;
mod values;
mod voice;

use chrono::{DateTime, Utc};

use crate::clickhouse::Sql;
use crate::json::{Json, Object, Text};
use crate::rows::{SpanColumns, VoiceColumns};

pub use coverage::Coverage;
use names::{COLUMNS, Column, columns_of};
use prices::Tokens;
pub use prices::{PriceBook, PriceBookError};
pub use shared::{Shared, shared};
pub use values::shortened;

/// What a span says, as far as its columns depend on it.
pub struct Said<'s, 'a> {
    pub name: &'s str,
    pub attributes: &'s Object<'a>,
    pub resource: &'s Object<'a>,
    /// Its events: name, time, attributes.
    pub events: &'s [(Text<'a>, DateTime<Utc>, Object<'a>)],
    pub start_time: DateTime<Utc>,
    /// None when it is not known.
    pub end_time: Option<DateTime<Utc>>,
    pub is_error: bool,
}

/// The attributes that were found, by column: the best name and its value.
struct Found<'s, 'a>([Option<(u8, &'s Json<'a>)>; COLUMNS]);

/// Bytes of what went in or came out.
const LONGEST_CONTENT: usize = 128 << 10;

/// Nobody has waited longer for a first token, and no clock can have told it.
const LONGEST_WAIT_MS: f64 = 86_400_000.0;

/// Operations that call a model: only they have tokens and cost of their own.
const INFERENCE: [&str; 4] = ["chat", "generate_content", "text_completion", "embeddings"];

/// Events that tell when the first token came.
const FIRST_TOKEN_EVENTS: [&str; 2] = ["First Token Stream Event", "gen_ai.content.completion.chunk"];

impl<'s, 'a> Found<'s, 'a> {
    fn look(said: &Said<'s, 'a>) -> Self {
        let mut found = Self([None; COLUMNS]);
        // What the span says goes before what its resource says, under the same name.
        for (name, value) in said.attributes.iter().chain(said.resource.iter()) {
            for (column, rank) in columns_of(name) {
                let best = &mut found.0[*column as usize];
                if !value.is_null() && best.is_none_or(|(known, _)| *rank < known) {
                    *best = Some((*rank, value));
                }
            }
        }
        found
    }

    fn value(&self, column: Column) -> Option<&'s Json<'a>> {
        self.0[column as usize].map(|(_, value)| value)
    }

    /// The name that the value of a column was found under.
    fn name(&self, column: Column) -> &'static str {
        self.0[column as usize].map_or("", |(rank, _)| names::NAMES[column as usize].2[usize::from(rank)])
    }

    fn text(&self, column: Column) -> Text<'static> {
        self.value(column).and_then(values::text).unwrap_or_default()
    }
}

/// Columns of a document, as the attributes that fill them; they are taken out of it.
pub fn as_attributes<'a>(document: &mut Object<'a>) -> Object<'a> {
    let mut attributes = Object::default();
    for (column, name, names) in names::NAMES {
        let told = document.remove(name).filter(|value| !value.is_null() && value.as_str() != Some(""));
        if let Some(value) = told {
            // The attribute whose unit is the column's.
            let is_millis = column == Column::TimeToFirstToken;
            attributes.insert(if is_millis { "ai.response.msToFirstChunk" } else { names[0] }, value);
        }
    }
    attributes
}

/// Hashes who somebody is, wherever an attribute says it.
pub fn hide_persons(attributes: &mut Object<'_>, hash: impl Fn(&str) -> String) {
    for name in names::PERSONS {
        if let Some(value) = attributes.get_mut(name)
            && let Some(told) = value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|id| id.to_string()))
            && !is_hash(&told)
        {
            *value = hash(&told).into();
        }
    }
}

/// Fills the columns of a span; notes in `coverage` what filled them. `hash` hides who somebody is.
pub fn normalise(
    said: &Said<'_, '_>,
    prices: &PriceBook,
    coverage: &Coverage,
    hash: impl Fn(&str) -> String,
) -> SpanColumns<'static> {
    let found = Found::look(said);
    let operation = operation(&found);
    let model = if found.name(Column::Model) == "llm.invocation_parameters" {
        within(&found, Column::Model, "model").as_ref().and_then(values::text).unwrap_or_default()
    } else {
        found.text(Column::Model)
    };
    let temperature = match found.name(Column::ModelTemperature) {
        "llm.invocation_parameters" => within(&found, Column::ModelTemperature, "temperature"),
        _ => found.value(Column::ModelTemperature).map(|value| value.clone().into_owned()),
    };
    let mut columns = SpanColumns {
        conversation_id: found.text(Column::ConversationId),
        agent_id: found.text(Column::AgentId),
        assistant_code: found.text(Column::AssistantCode),
        assistant_version: found.text(Column::AssistantVersion),
        evaluation_id: found.text(Column::EvaluationId),
        event_type: event_type(&found, &operation),
        provider: found.text(Column::Provider),
        model,
        model_temperature: temperature.as_ref().and_then(values::number).map(|number| number as f32),
        input: content(said, found.value(Column::Input), "gen_ai.prompt"),
        output: content(said, found.value(Column::Output), "gen_ai.completion"),
        input_tokens: found.value(Column::InputTokens).and_then(values::count),
        output_tokens: found.value(Column::OutputTokens).and_then(values::count),
        cached_input_tokens: found.value(Column::CachedInputTokens).and_then(values::count),
        cost_billionths: told_cost(said, &found),
        time_to_first_token_ms: time_to_first_token_ms(said, &found),
        tool_name: found.text(Column::ToolName),
        error_type: error_type(said, &found),
        user_id_hash: user(&found, hash),
        environment: found.text(Column::Environment),
        profile_code: found.value(Column::ProfileCode).and_then(values::text),
        operation,
        voice: VoiceColumns::default(),
    };
    columns.voice = voice::columns(said, &found, &columns);
    let is_inference = INFERENCE.contains(&&*columns.operation);
    if is_inference
        && columns.cost_billionths.is_none()
        && (columns.input_tokens.is_some() || columns.output_tokens.is_some())
    {
        columns.cost_billionths = cost(&columns, prices, said.start_time);
        if columns.cost_billionths.is_none() {
            coverage.note_without_price(&columns.provider, &columns.model);
        }
    }
    for (column, told, _) in names::NAMES {
        if found.value(column).is_some() && columns.voice.takes(told) {
            coverage.note(told, found.name(column));
        }
    }
    columns
}

fn within(found: &Found<'_, '_>, column: Column, field: &str) -> Option<Json<'static>> {
    values::within(found.value(column)?, field)
}

/// The operation, older spellings in today's words.
fn operation(found: &Found<'_, '_>) -> Text<'static> {
    let told = found.text(Column::Operation);
    let word = match (found.name(Column::Operation), told.to_ascii_lowercase().as_str()) {
        ("gen_ai.operation.name", _) => return told,
        (_, "chat" | "llm") => "chat",
        (_, "completion") => "text_completion",
        (_, "embedding") => "embeddings",
        (_, "retriever" | "rerank" | "reranker") => "retrieval",
        (_, "tool") => "execute_tool",
        (_, "agent") => "invoke_agent",
        (_, "workflow" | "chain" | "task") => "invoke_workflow",
        ("ai.operationId", id) => match id.rsplit('.').next().unwrap_or_default() {
            "dogenerate" | "dostream" => "chat",
            "doembed" => "embeddings",
            "toolcall" => "execute_tool",
            // Around the call itself, with the same tokens.
            _ => "invoke_workflow",
        },
        _ => return told,
    };
    word.into()
}

/// The kind of step that a span is.
fn event_type(found: &Found<'_, '_>, operation: &str) -> Text<'static> {
    let told = found.text(Column::EventType);
    if !told.is_empty() {
        return told;
    }
    let step = match operation {
        "chat" | "generate_content" | "text_completion" => "inference",
        "embeddings" => "embeddings",
        "retrieval" => "retrieval",
        "execute_tool" => "tool",
        "create_agent" | "invoke_agent" | "plan" => "agent",
        "invoke_workflow" => "workflow",
        _ => "",
    };
    step.into()
}

/// What went in or came out: an attribute, or one by one under numbers, or in an event.
fn content(said: &Said<'_, '_>, value: Option<&Json<'_>>, prefix: &str) -> Text<'static> {
    let told = value
        .and_then(values::content)
        .or_else(|| numbered(said, prefix))
        .or_else(|| said.events.iter().find_map(|(_, _, attributes)| attributes.get(prefix).and_then(values::content)));
    shortened(told.unwrap_or_default(), LONGEST_CONTENT).into()
}

/// Attributes under a prefix, as one object.
fn numbered(said: &Said<'_, '_>, prefix: &str) -> Option<String> {
    let fields: Object<'_> = said
        .attributes
        .iter()
        .filter_map(|(name, value)| {
            let number = name.strip_prefix(prefix)?.strip_prefix('.')?;
            Some((number.to_owned().into(), value.clone().into_owned()))
        })
        .collect();
    (!fields.is_empty()).then(|| fields.to_string())
}

/// The cost that the emitter gives.
fn told_cost(said: &Said<'_, '_>, found: &Found<'_, '_>) -> Option<i64> {
    if found.name(Column::Cost) == "gen_ai.usage.cost.amount" {
        let currency = said.attributes.get("gen_ai.usage.cost.currency").and_then(Json::as_str);
        if currency.is_some_and(|currency| !currency.eq_ignore_ascii_case("usd")) {
            return None;
        }
    }
    found.value(Column::Cost).and_then(values::money)
}

/// Whether the cost of a row is from elsewhere: its attributes do not tell it, and the price book says another.
pub fn is_foreign_cost(said: &Said<'_, '_>, columns: &SpanColumns<'_>, prices: &PriceBook) -> bool {
    columns.cost_billionths.is_some()
        && told_cost(said, &Found::look(said)).is_none()
        && cost(columns, prices, said.start_time) != columns.cost_billionths
}

/// Whether the emitter of a stored span gives its cost, in SQL: as [`told_cost`], of what is kept of it. Where both
/// could differ, in numbers that are written in odd ways, it is as if the emitter gave it.
pub fn is_cost_told_sql() -> Sql {
    const AMOUNT: &str = "gen_ai.usage.cost.amount";
    let value = |column: &str, name: &str| {
        let keys: Vec<&str> = std::iter::once(column).chain(name.split('.')).collect();
        [Sql::constant("CAST("), Sql::dotted(&keys), Sql::constant(", 'Nullable(String)')")]
    };
    let of_both = |name: &'static str| {
        ["attributes", "resource"]
            .into_iter()
            .flat_map(move |column| [value(column, name).to_vec(), vec![Sql::constant(",")]].concat())
    };
    let names = names::NAMES[Column::Cost as usize].2.iter().copied().filter(|name| *name != AMOUNT);
    let mut words = vec![Sql::constant("ifNull(toFloat64OrNull(trimBoth(coalesce(")];
    words.extend(names.flat_map(of_both));
    words.push(Sql::constant("if(lower(ifNull("));
    words.extend(value("attributes", "gen_ai.usage.cost.currency"));
    words.push(Sql::constant(", 'usd')) = 'usd', coalesce("));
    words.extend(of_both(AMOUNT));
    words.push(Sql::constant("NULL), NULL)))) BETWEEN 0 AND 999999999.9999999, false)"));
    Sql::words(&words)
}

fn cost(columns: &SpanColumns<'_>, prices: &PriceBook, at: DateTime<Utc>) -> Option<i64> {
    let tokens = Tokens {
        input: columns.input_tokens.unwrap_or(0),
        cached: columns.cached_input_tokens.unwrap_or(0),
        output: columns.output_tokens.unwrap_or(0),
    };
    prices.cost(&columns.provider, &columns.model, at, tokens)
}

fn time_to_first_token_ms(said: &Said<'_, '_>, found: &Found<'_, '_>) -> Option<f64> {
    let told = found.value(Column::TimeToFirstToken).and_then(values::number).filter(|number| *number >= 0.0);
    let told = told
        .map(|number| if found.name(Column::TimeToFirstToken).starts_with("gen_ai.") { number * 1e3 } else { number });
    let waited = told.or_else(|| {
        let first = said
            .events
            .iter()
            .filter(|(name, ..)| FIRST_TOKEN_EVENTS.contains(&&**name))
            .map(|(_, time, _)| *time)
            .min()?;
        let passed = first - said.start_time;
        (passed >= chrono::TimeDelta::zero()).then(|| passed.num_microseconds().unwrap_or(0) as f64 / 1e3)
    });
    waited.filter(|millis| *millis <= LONGEST_WAIT_MS)
}

/// The type of the error, without the modules before its name: some tell them and some do not.
fn error_type(said: &Said<'_, '_>, found: &Found<'_, '_>) -> Text<'static> {
    let told = found.value(Column::ErrorType).and_then(values::text);
    let told = told.or_else(|| {
        // An exception that was handled is no error.
        let exceptions = said.events.iter().filter(|(name, ..)| said.is_error && &**name == "exception");
        exceptions.filter_map(|(_, _, attributes)| attributes.get("exception.type").and_then(values::text)).next()
    });
    let Some(told) = told else { return if said.is_error { "unknown".into() } else { Text::default() } };
    let is_path = told.contains('.') && told.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$'));
    match told.rsplit('.').next() {
        Some(name) if is_path && !name.is_empty() => name.to_owned().into(),
        _ => told,
    }
}

/// Who used it: a hash, unless it is one already.
fn user(found: &Found<'_, '_>, hash: impl Fn(&str) -> String) -> Text<'static> {
    let told = found.text(Column::UserId);
    if told.is_empty() || is_hash(&told) { told } else { hash(&told).into() }
}

/// Whether a text is a digest of 128 bits or more.
pub fn is_hash(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 64 | 96 | 128) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
