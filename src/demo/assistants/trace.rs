//! A trace on its way: spans as an instrumentation of the present conventions for generative AI sends them.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message;

use crate::ingest::otlp::{Exported, Origin};

pub const INTERNAL: i32 = 1;
pub const SERVER: i32 = 2;
pub const CLIENT: i32 = 3;
const ERROR: i32 = 2;

/// A trace that is being made. Time passes in it as it is told to.
pub struct Trace {
    id: [u8; 16],
    /// Nanoseconds since its start.
    now: u64,
    spans: Vec<(Span, Arc<Origin>)>,
    /// Spans that are open, the innermost last.
    open: Vec<usize>,
}

/// Where a span is in its trace.
#[derive(Debug, Clone, Copy)]
pub struct Place(usize);

pub fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

pub fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

pub fn whole(key: &str, value: impl Into<i64>) -> KeyValue {
    attribute(key, Value::IntValue(value.into()))
}

pub fn real(key: &str, value: f64) -> KeyValue {
    attribute(key, Value::DoubleValue(value))
}

pub fn truth(key: &str, value: bool) -> KeyValue {
    attribute(key, Value::BoolValue(value))
}

pub fn texts(key: &str, values: &[&str]) -> KeyValue {
    let values = values.iter().map(|value| AnyValue { value: Some(Value::StringValue((*value).to_owned())) }).collect();
    attribute(key, Value::ArrayValue(ArrayValue { values }))
}

/// A message of a conversation with a model, as the conventions write it.
pub fn said(role: &str, content: &str, finish: Option<&str>) -> String {
    let mut message = serde_json::json!({"role": role, "parts": [{"type": "text", "content": content}]});
    if let Some(finish) = finish {
        message["finish_reason"] = finish.into();
    }
    format!("[{message}]")
}

impl Trace {
    pub fn new(random: &mut fastrand::Rng) -> Self {
        Self { id: random.u128(1..).to_be_bytes(), now: 0, spans: Vec::new(), open: Vec::new() }
    }

    pub fn pass(&mut self, milliseconds: f64) {
        self.now += (milliseconds.max(0.0) * 1e6) as u64;
    }

    /// Opens a span within the one that is open.
    pub fn begin(
        &mut self,
        name: String,
        kind: i32,
        attributes: Vec<KeyValue>,
        origin: &Arc<Origin>,
        random: &mut fastrand::Rng,
    ) -> Place {
        let parent_span_id = self.open.last().map(|parent| self.spans[*parent].0.span_id.clone()).unwrap_or_default();
        let span = Span {
            trace_id: self.id.to_vec(),
            span_id: random.u64(1..).to_be_bytes().to_vec(),
            parent_span_id,
            name,
            kind,
            start_time_unix_nano: self.now,
            attributes,
            ..Span::default()
        };
        self.spans.push((span, Arc::clone(origin)));
        self.open.push(self.spans.len() - 1);
        Place(self.spans.len() - 1)
    }

    /// Ends the span that is open.
    pub fn end(&mut self) {
        let index = self.open.pop().expect("a span is open");
        self.spans[index].0.end_time_unix_nano = self.now;
    }

    /// Fails a span, with the exception that tells why where it happened.
    pub fn fail(&mut self, Place(index): Place, (error, told): (&str, &str), is_where_it_happened: bool) {
        let now = self.now;
        let span = &mut self.spans[index].0;
        span.status = Some(Status { message: told.to_owned(), code: ERROR });
        span.attributes.push(text("error.type", error));
        if is_where_it_happened {
            let attributes =
                vec![text("exception.type", error), text("exception.message", told), truth("exception.escaped", true)];
            let event = Event { time_unix_nano: now, name: "exception".to_owned(), attributes, ..Event::default() };
            span.events.push(event);
        }
    }

    pub fn add(&mut self, Place(index): Place, attributes: impl IntoIterator<Item = KeyValue>) {
        self.spans[index].0.attributes.extend(attributes);
    }

    pub fn note(&mut self, Place(index): Place, name: &str, attributes: Vec<KeyValue>) {
        let event = Event { time_unix_nano: self.now, name: name.to_owned(), attributes, ..Event::default() };
        self.spans[index].0.events.push(event);
    }

    /// Says that it goes on where the root of another trace ended.
    pub fn follow(&mut self, (trace_id, span_id): ([u8; 16], Vec<u8>)) {
        let attributes = vec![text("relation", "same conversation")];
        let link = Link { trace_id: trace_id.to_vec(), span_id, attributes, ..Link::default() };
        self.spans[0].0.links.push(link);
    }

    pub fn root(&self) -> ([u8; 16], Vec<u8>) {
        (self.id, self.spans[0].0.span_id.clone())
    }

    /// Forgets when the root ended, as when its process was killed: the others had been sent.
    pub fn lose_end(&mut self) {
        self.spans[0].0.end_time_unix_nano = 0;
    }

    pub fn lasted(&self) -> Duration {
        // A microsecond more than was told, as the columns have no less.
        Duration::nanoseconds(self.now as i64) + Duration::microseconds(1)
    }

    /// The spans of the trace when it begins at that time.
    pub fn at(self, start: DateTime<Utc>) -> impl Iterator<Item = Exported<Span>> {
        let start = start.timestamp_micros().unsigned_abs() * 1_000;
        self.spans.into_iter().map(move |(mut message, origin)| {
            message.start_time_unix_nano += start;
            if message.end_time_unix_nano > 0 {
                message.end_time_unix_nano += start;
            }
            message.events.iter_mut().for_each(|event| event.time_unix_nano += start);
            let bytes = message.encoded_len();
            Exported { message, origin, bytes }
        })
    }
}
