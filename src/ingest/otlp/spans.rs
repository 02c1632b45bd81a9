//! Spans: from the messages of an export to rows.

use chrono::{DateTime, Utc};
use opentelemetry_proto::tonic::trace::v1::Span as Message;

use super::items::Exported;
use super::refusals::WITHOUT_IDS;
use super::values::{TooMuch, object};
use super::{LONGEST_TEXT, put_object, put_text};
use crate::ingest::event::Reading;
use crate::ingest::genai::{self, Coverage, PriceBook, Said, shortened};
use crate::ingest::person::hashed;
use crate::ingest::rejection::Rejection;
use crate::json::{Json, Object, Text};
use crate::rows::{Span, hex};

/// Events, and links, of one span.
const MOST_PARTS: usize = 1_024;

/// What spans are read with.
#[derive(Clone, Copy)]
pub struct SpanReading<'a> {
    pub reading: Reading<'a>,
    pub prices: &'a PriceBook,
    pub coverage: &'a Coverage,
}

/// Reads a span.
pub fn read(
    Exported { message, origin, .. }: Exported<Message>,
    SpanReading { reading, prices, coverage }: SpanReading<'_>,
) -> Result<Span<'static>, Rejection> {
    if message.trace_id.is_empty() && message.span_id.is_empty() {
        return Err(Rejection::new(WITHOUT_IDS, "", "a span has a trace id and a span id"));
    }
    let trace_id = id::<16>(&message.trace_id).ok_or_else(|| invalid_id("trace", "16 bytes, not all zero"))?;
    let span_id = id::<8>(&message.span_id).ok_or_else(|| invalid_id("span", "8 bytes, not all zero"))?;
    let parent_id = match message.parent_span_id.as_slice() {
        [] | [0, 0, 0, 0, 0, 0, 0, 0] => None,
        parent => Some(id::<8>(parent).ok_or_else(|| invalid_id("parent span", "empty or 8 bytes"))?),
    };
    let start_time = moment(message.start_time_unix_nano);
    reading.check_time(start_time, "/startTimeUnixNano")?;
    let end_time = reading.end_time(start_time, moment(message.end_time_unix_nano));
    if message.events.len() > MOST_PARTS || message.links.len() > MOST_PARTS {
        return Err(Rejection::new("too_large", "", format!("more than {MOST_PARTS} events or links")));
    }
    let hash = |text: &str| hashed(text, reading.salt);
    let status = message.status.unwrap_or_default();
    let mut attributes = object(message.attributes)?;
    let mut resource = origin.resource.clone();
    let mut events = Vec::with_capacity(message.events.len());
    for event in message.events {
        let attributes = object(event.attributes)?;
        events.push((Text::from(shortened(event.name, LONGEST_TEXT)), moment(event.time_unix_nano), attributes));
    }
    let name = shortened(message.name, LONGEST_TEXT);
    let said = Said {
        name: &name,
        attributes: &attributes,
        resource: &resource,
        events: &events,
        start_time,
        end_time,
        is_error: status.code == 2,
    };
    let columns = genai::normalise(&said, prices, coverage, hash);
    genai::hide_persons(&mut attributes, hash);
    genai::hide_persons(&mut resource, hash);
    let links = message.links.into_iter().map(|link| {
        let mut fields =
            Object::from([("trace_id", hex(&link.trace_id).into()), ("span_id", hex(&link.span_id).into())]);
        put_text(&mut fields, "trace_state", link.trace_state);
        put_object(&mut fields, "attributes", object(link.attributes)?);
        Ok::<_, TooMuch>(fields)
    });
    let mut context = Object::default();
    put_text(&mut context, "trace_state", message.trace_state);
    put_object(&mut context, "scope", origin.scope.clone());
    Ok(Span {
        trace_id,
        span_id,
        parent_id,
        name: name.into(),
        kind: kind(message.kind).into(),
        start_time,
        end_time,
        status_code: status_code(status.code).into(),
        status_description: shortened(status.message, LONGEST_TEXT).into(),
        columns,
        attributes,
        context,
        links: links.collect::<Result<_, _>>()?,
        events: events.into_iter().map(event_object).collect(),
        resource,
    })
}

fn invalid_id(of: &str, form: &str) -> Rejection {
    Rejection::new("invalid_id", "", format!("the {of} id must be {form}"))
}

fn id<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok().filter(|id| *id != [0; N])
}

/// A time of nanoseconds, to the microsecond that the column holds.
fn moment(nanos: u64) -> DateTime<Utc> {
    i64::try_from(nanos / 1_000).ok().and_then(DateTime::from_timestamp_micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn event_object((name, time, attributes): (Text<'static>, DateTime<Utc>, Object<'static>)) -> Object<'static> {
    let time = time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let mut fields = Object::from([("name", Json::Text(name)), ("time", time.into())]);
    put_object(&mut fields, "attributes", attributes);
    fields
}

fn kind(kind: i32) -> &'static str {
    match kind {
        1 => "INTERNAL",
        2 => "SERVER",
        3 => "CLIENT",
        4 => "PRODUCER",
        5 => "CONSUMER",
        _ => "UNSPECIFIED",
    }
}

fn status_code(code: i32) -> &'static str {
    match code {
        1 => "OK",
        2 => "ERROR",
        _ => "UNSET",
    }
}
