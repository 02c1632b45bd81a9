//! Logs: a log record becomes an event.
//!
//! Its name is the record's event name, else what its attributes or its body say, else `log`. A body that
//! is an object, or a text that is one, gives fields as the body of `POST /api/v1/events` does; another text is
//! the field `message`.

use chrono::{DateTime, SecondsFormat, Utc};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use prost::Message;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::items::Exported;
use super::values::{self, object};
use crate::ingest::event::{self, Reading};
use crate::ingest::rejection::Rejection;
use crate::json::{self, Json, Object};
use crate::rows::{Event, hex};

/// Names that an event may have in attributes or in the body, the first that is there counts.
const EVENT_NAMES: [&str; 5] = ["event.name", "event", "event_type", "type", "name"];

/// Reads a record.
pub fn read(
    Exported { message: record, origin, .. }: Exported<LogRecord>,
    reading: Reading<'_>,
) -> Result<Event<'static>, Rejection> {
    let resource = &origin.resource;
    let id = id_of(&record, resource);
    let nanos = if record.time_unix_nano > 0 { record.time_unix_nano } else { record.observed_time_unix_nano };
    let mut fields = object(record.attributes)?;
    match values::json(record.body)? {
        Json::Null => {}
        Json::Object(body) => merge(&mut fields, body),
        Json::Text(text) => match json::read(&text) {
            Ok(Json::Object(body)) => merge(&mut fields, body.into_owned()),
            _ => fields.insert("message", text),
        },
        other => fields.insert("body", other),
    }
    let mut name = Some(record.event_name).filter(|name| !name.is_empty());
    for spelling in EVENT_NAMES {
        if name.is_some() {
            break;
        }
        if let Some(Json::Text(_)) = fields.get(spelling)
            && let Some(Json::Text(text)) = fields.remove(spelling)
        {
            name = Some(text.0.into_owned());
        }
    }
    fields.insert("event", name.unwrap_or_else(|| "log".to_owned()));
    if fields.get("event_id").is_none() {
        fields.insert("event_id", id.to_string());
    }
    if fields.get("time_utc").is_none() && fields.get("timestamp").is_none() && nanos > 0 {
        let micros = i64::try_from(nanos / 1_000).unwrap_or(i64::MAX);
        let time = DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC);
        fields.insert("time_utc", time.to_rfc3339_opts(SecondsFormat::Micros, true));
    }
    if !record.severity_text.is_empty() {
        fields.insert("severity_text", record.severity_text);
    }
    if record.severity_number > 0 {
        fields.insert("severity_number", record.severity_number);
    }
    for (name, id) in [("trace_id", record.trace_id), ("span_id", record.span_id)] {
        if !id.is_empty() {
            fields.insert(name, hex(&id));
        }
    }
    if !resource.is_empty() {
        fields.insert("resource", resource.clone());
    }
    event::read(Json::Object(fields), reading)
}

fn merge(fields: &mut Object<'static>, body: Object<'static>) {
    for (name, value) in body {
        if fields.get(&name).is_none() {
            fields.insert(name, value);
        }
    }
}

/// The id of a record that has none: the same record, delivered twice, is one event.
fn id_of(record: &LogRecord, resource: &Object<'_>) -> Uuid {
    let digest = Sha256::new().chain_update(record.encode_to_vec()).chain_update(resource.to_string()).finalize();
    Uuid::new_v8(digest[..16].try_into().expect("a digest has 32 bytes"))
}
