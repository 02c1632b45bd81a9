//! Rows as their tables show them, in exports and backups: documents by the names of the columns. They
//! become rows again the way that documents of the endpoints do, with the same checks.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::event::{self, Reading};
use super::genai::{self, Coverage, PriceBook, Said};
use super::person::hashed;
use super::product_event;
use super::rejection::Rejection;
use crate::config::UnknownEvents;
use crate::json::{self, Json, Object, Text};
use crate::query::shown;
use crate::rows::{Event, ProductEvent, Rows, Span, Table};

/// Bytes of one span.
pub const LARGEST_SPAN: usize = 4 << 20;

/// What the server adds to every row.
const ADDED: &str = "ingested_at";

/// Reads a row of any table, and encodes it.
pub fn row(table: Table, document: &str, reading: Reading<'_>, prices: &PriceBook) -> Result<Rows, Rejection> {
    let malformed = |why: String| Rejection::new("malformed_row", "", why);
    let document = match json::read(document).map_err(|error| malformed(format!("it is not JSON: {error}")))? {
        Json::Object(document) => document,
        _ => return Err(malformed("it is not a JSON object".to_owned())),
    };
    Ok(match table {
        Table::Events => Rows::of(&event(document, reading)?, reading.now),
        Table::Spans => Rows::of(&span(document, reading, prices)?, reading.now),
        Table::ProductEvents => Rows::of(&product_event(document, reading)?, reading.now),
    })
}

/// Reads an event.
pub fn event<'a>(mut document: Object<'a>, reading: Reading<'_>) -> Result<Event<'a>, Rejection> {
    document.remove(ADDED);
    open(&mut document, "data")?;
    fold_suggestions(&mut document)?;
    require_time(&mut document, &["time_utc", "timestamp"])?;
    event::read(Json::Object(document), reading)
}

/// Reads an event of the product.
pub fn product_event<'a>(mut document: Object<'a>, reading: Reading<'_>) -> Result<ProductEvent<'a>, Rejection> {
    document.remove(ADDED);
    open(&mut document, "payload_json")?;
    if let Some(Json::Object(payload)) = document.get_mut("payload_json") {
        // An export has all fields of the catalogue, whatever the event.
        *payload = std::mem::take(payload).into_iter().filter(|(_, value)| !value.is_null()).collect();
    }
    require_time(&mut document, &["occurred_at", "occurredAt"])?;
    // Rows that were counted as unknown are what they were; no other becomes one.
    let is_unknown = document.get("name").and_then(Json::as_str) == Some(product_event::UNKNOWN);
    let unknown = if is_unknown { UnknownEvents::Count } else { UnknownEvents::Refuse };
    product_event::read(Json::Object(document), reading.now, unknown)
}

/// Reads a span. Columns that are not there are filled from the attributes.
pub fn span<'a>(mut document: Object<'a>, reading: Reading<'_>, prices: &PriceBook) -> Result<Span<'a>, Rejection> {
    for name in ["attributes", "context", "events", "links", "resource"] {
        open(&mut document, name)?;
    }
    let start_time = require_time(&mut document, &["start_time", "span_start_time"])?;
    let start_time = event::moment(&start_time, "/start_time")?;
    reading.check_time(start_time, "/start_time")?;
    let told_end = match bare_time(&mut document, "span_end_time").or_else(|| bare_time(&mut document, "end_time")) {
        Some(end_time) => reading.end_time(start_time, event::moment(&end_time, "/end_time")?),
        None => None,
    };
    // The table has the start in place of an end that nobody knows, and says so in its other column.
    let is_unknown = matches!(document.get("span_end_time"), Some(Json::Null)) && told_end == Some(start_time);
    let end_time = told_end.filter(|_| !is_unknown);
    let cost_of_row = document.get("cost_usd").cloned().filter(|cost| !cost.is_null());
    let mut attributes = take_object(&mut document, "attributes")?;
    let mut resource = take_object(&mut document, "resource")?;
    let events = take_objects(&mut document, "events")?;
    let status_code = upper(&mut document, "status_code", &["UNSET", "OK", "ERROR"])?;
    // What columns say goes before what attributes say.
    let mut told = genai::as_attributes(&mut document);
    for (name, value) in attributes.iter() {
        if told.get(name).is_none() {
            told.insert(name.to_owned(), value.clone());
        }
    }
    let said_events: Vec<_> = events.iter().map(|event| said_event(event, start_time)).collect();
    let is_error = &*status_code == "ERROR";
    let name = text(&mut document, "name")?;
    let said = Said {
        name: &name,
        attributes: &told,
        resource: &resource,
        events: &said_events,
        start_time,
        end_time,
        is_error,
    };
    let hash = |text: &str| hashed(text, reading.salt);
    let columns = genai::normalise(&said, prices, &Coverage::default(), hash);
    let of_attributes = Said { attributes: &attributes, ..said };
    if let Some(cost) = cost_of_row.filter(|_| genai::is_foreign_cost(&of_attributes, &columns, prices)) {
        attributes.insert("cost_usd", cost);
    }
    genai::hide_persons(&mut attributes, hash);
    genai::hide_persons(&mut resource, hash);
    let span = Span {
        trace_id: id(&mut document, "trace_id")?,
        span_id: id(&mut document, "span_id")?,
        parent_id: match document.get("parent_id").and_then(Json::as_str) {
            None | Some("") => None,
            Some(_) => Some(id(&mut document, "parent_id")?),
        },
        name,
        kind: upper(&mut document, "kind", &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"])?,
        start_time,
        end_time,
        status_code,
        status_description: text(&mut document, "status_description")?,
        columns,
        context: take_object(&mut document, "context")?,
        events,
        links: take_objects(&mut document, "links")?,
        resource,
        attributes: Object::default(),
    };
    // What has no column is an attribute.
    for name in ["parent_id", "status", "start_time", "end_time", "span_start_time", "span_end_time", ADDED] {
        document.remove(name);
    }
    for (name, value) in document.into_iter().filter(|(_, value)| !value.is_null()) {
        if attributes.get(&name).is_none() {
            attributes.insert(name, value);
        }
    }
    Ok(Span { attributes, ..span })
}

/// An event of a span: name, time, attributes.
fn said_event<'a>(event: &Object<'a>, start_time: DateTime<Utc>) -> (Text<'a>, DateTime<Utc>, Object<'a>) {
    let name = match event.get("name") {
        Some(Json::Text(name)) => name.clone(),
        _ => Text::default(),
    };
    let time = event.get("time").and_then(Json::as_str).and_then(|time| event::moment(time, "/events").ok());
    let attributes = match event.get("attributes") {
        Some(Json::Object(attributes)) => attributes.clone(),
        _ => Object::default(),
    };
    (name, time.unwrap_or(start_time), attributes)
}

/// Makes a value of a JSON column, which files without such columns have as text, what it says.
fn open(document: &mut Object<'_>, name: &str) -> Result<(), Rejection> {
    let Some(value) = document.get_mut(name) else { return Ok(()) };
    *value = opened(std::mem::take(value), name)?;
    Ok(())
}

fn opened<'a>(value: Json<'a>, name: &str) -> Result<Json<'a>, Rejection> {
    match value {
        Json::Text(text) if text.trim().is_empty() => Ok(Json::Null),
        Json::Text(text) => match json::read(&text) {
            Ok(value) => Ok(value.into_owned()),
            Err(error) => {
                let pointer = format!("/{name}");
                Err(Rejection::new("malformed_json", &pointer, format!("`{pointer}` is not JSON: {error}")))
            }
        },
        // A list of documents, each as text.
        Json::List(list) => Ok(Json::List(list.into_iter().map(|item| opened(item, name)).collect::<Result<_, _>>()?)),
        value => Ok(value),
    }
}

/// Columns `suggestions.id`, `suggestions.source` and so on, which are lists of one length, become one list.
fn fold_suggestions(document: &mut Object<'_>) -> Result<(), Rejection> {
    let mut suggestions: Vec<Object<'_>> = Vec::new();
    let mut length = None;
    for field in ["id", "source", "len_text", "edited", "rest"] {
        let column = format!("suggestions.{field}");
        let Some(value) = document.remove(&column) else { continue };
        let Json::List(values) = opened_list(value, &column)? else {
            return Err(Rejection::invalid_type(&format!("/{column}"), "a list"));
        };
        if *length.get_or_insert(values.len()) != values.len() {
            let detail = "the lists of the columns `suggestions.…` differ in length";
            return Err(Rejection::new("invalid_type", &format!("/{column}"), detail));
        }
        suggestions.resize_with(values.len(), Object::default);
        for (suggestion, value) in suggestions.iter_mut().zip(values) {
            match (field, value) {
                ("rest", value) => {
                    if let Json::Object(rest) = opened(value, &column)? {
                        rest.into_iter().for_each(|(name, value)| suggestion.insert(name, value));
                    }
                }
                (field, value) => suggestion.insert(field.to_owned(), value),
            }
        }
    }
    if suggestions.is_empty() {
        return Ok(());
    }
    if document.get("data").is_none_or(Json::is_null) {
        document.insert("data", Object::default());
    }
    if let Some(Json::Object(data)) = document.get_mut("data") {
        data.insert("suggestions", suggestions.into_iter().map(Json::Object).collect::<Vec<_>>());
    }
    Ok(())
}

/// A list, which may be written as JSON text.
fn opened_list<'a>(value: Json<'a>, column: &str) -> Result<Json<'a>, Rejection> {
    if matches!(value, Json::Text(_)) { opened(value, column) } else { Ok(value) }
}

/// The time of a row; one without an offset is in UTC, as ClickHouse writes it. Rows of files must have
/// one: nobody means the time of the import.
fn require_time(document: &mut Object<'_>, names: &[&str]) -> Result<String, Rejection> {
    let times: Vec<String> = names.iter().filter_map(|name| bare_time(document, name)).collect();
    times.into_iter().next().ok_or_else(|| {
        let pointer = format!("/{}", names[0]);
        Rejection::new("missing_time", &pointer, format!("a row of a file needs its time, in `{}`", names[0]))
    })
}

/// The time in a field, rewritten with an offset.
fn bare_time(document: &mut Object<'_>, name: &str) -> Option<String> {
    let value = document.get_mut(name)?;
    if let Json::Text(text) = value
        && let Ok(time) = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
    {
        *value = time.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string().into();
    }
    match value {
        Json::Null => None,
        Json::Text(text) if text.is_empty() => None,
        Json::Text(text) => Some(text.to_string()),
        other => Some(other.to_string()),
    }
}

/// An id in hexadecimal.
fn id<const N: usize>(document: &mut Object<'_>, name: &str) -> Result<[u8; N], Rejection> {
    let digits = text(document, name)?;
    let mut id = [0; N];
    let is_id = digits.len() == 2 * N
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        && id.iter_mut().zip(digits.as_bytes().chunks_exact(2)).all(|(byte, pair)| {
            let pair = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
            pair.map(|value| *byte = value).is_some()
        });
    if is_id && id != [0; N] {
        return Ok(id);
    }
    let detail = format!("`{}` is not {} hexadecimal digits that are not all zero", shown(&digits), 2 * N);
    Err(Rejection::new("invalid_id", &format!("/{name}"), detail))
}

fn text<'a>(document: &mut Object<'a>, name: &str) -> Result<Text<'a>, Rejection> {
    match document.remove(name) {
        None | Some(Json::Null) => Ok(Text::default()),
        Some(Json::Text(text)) => Ok(text),
        Some(_) => Err(Rejection::invalid_type(&format!("/{name}"), "a text")),
    }
}

/// One of some words, in capitals; the first of them when there is none.
fn upper(document: &mut Object<'_>, name: &str, words: &[&'static str]) -> Result<Text<'static>, Rejection> {
    let told = text(document, name)?;
    if told.is_empty() {
        return Ok(words[0].into());
    }
    match words.iter().find(|word| word.eq_ignore_ascii_case(&told)) {
        Some(word) => Ok((*word).into()),
        None => Err(Rejection::invalid_type(&format!("/{name}"), &format!("one of {}", words.join(", ")))),
    }
}

fn take_object<'a>(document: &mut Object<'a>, name: &str) -> Result<Object<'a>, Rejection> {
    match document.remove(name) {
        None | Some(Json::Null) => Ok(Object::default()),
        Some(Json::Object(object)) => Ok(object),
        Some(_) => Err(Rejection::invalid_type(&format!("/{name}"), "a JSON object")),
    }
}

fn take_objects<'a>(document: &mut Object<'a>, name: &str) -> Result<Vec<Object<'a>>, Rejection> {
    let wanted = || Rejection::invalid_type(&format!("/{name}"), "a list of JSON objects");
    let list = match document.remove(name) {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::List(list)) => list,
        Some(_) => return Err(wanted()),
    };
    let objects = list.into_iter().map(|item| match item {
        Json::Object(object) => Ok(object),
        _ => Err(wanted()),
    });
    objects.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The attribute by which a later look at a stored span knows that its cost was told.
    fn cost_attribute(changes: &str) -> Option<String> {
        let text = format!(
            r#"{{"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7", "name": "chat",
                "start_time": "2026-02-01T10:00:00Z", "operation": "chat", "provider": "openai", "model": "gpt-5",
                "input_tokens": 1000, "output_tokens": 100, {changes}}}"#
        );
        let Ok(Json::Object(document)) = json::read(&text) else { panic!("{text}") };
        let reading = Reading { now: "2026-02-02T10:00:00Z".parse().unwrap(), retention_days: 0, salt: "" };
        let span = span(document, reading, &PriceBook::built_in()).unwrap();
        assert!(span.columns.cost_billionths.is_some());
        span.attributes.get("cost_usd").map(ToString::to_string)
    }

    #[test]
    fn a_cost_that_no_attribute_tells_and_no_price_gives_was_told_by_the_row() {
        assert_eq!(cost_attribute(r#""cost_usd": "0.5""#), Some("\"0.5\"".to_owned()));
        // That of an export of ours: it was computed, or an attribute tells it.
        assert_eq!(cost_attribute(r#""cost_usd": "0.00225""#), None);
        assert_eq!(cost_attribute(r#""cost_usd": 0.5, "attributes": {"gen_ai.usage.cost": 0.5}"#), None);
        assert_eq!(cost_attribute(r#""kind": "CLIENT""#), None);
    }
}
