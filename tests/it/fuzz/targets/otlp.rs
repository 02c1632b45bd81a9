//! OTLP: both encodings of a message give the same rows.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use chartwell::ingest::otlp::encoding::Export;
use chartwell::ingest::otlp::{json, logs, spans};
use chartwell::ingest::{Coverage, PriceBook};
use chartwell::json::{DEEPEST, Json};
use chartwell::rows::{Event, Rows, Span};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;

use super::otlp_json::{logs as logs_json, traces as traces_json};
use super::rows::encoded;
use super::{RUNTIME, reading};

type Read<M> = fn(Json<'_>) -> Result<M, String>;

static PRICES: LazyLock<PriceBook> = LazyLock::new(PriceBook::built_in);

/// The bytes as an export of either kind, in either encoding.
pub fn check(bytes: &[u8]) -> Vec<Rows> {
    let mut accepted = Vec::new();
    for content_type in ["application/json", "application/x-protobuf"] {
        if let Some(message) = decode(content_type, bytes, json::traces) {
            accepted.extend(check_traces(message));
        }
        if let Some(message) = decode(content_type, bytes, json::logs) {
            accepted.extend(check_logs(message));
        }
    }
    accepted
}

fn check_traces(message: ExportTraceServiceRequest) -> Vec<Rows> {
    let read = |message: ExportTraceServiceRequest| {
        let coverage = Coverage::default();
        let reading = spans::SpanReading { reading: reading(), prices: &PRICES, coverage: &coverage };
        let spans::ReadSpans { spans, refused, without_ids } = spans::read(message.resource_spans, reading);
        (spans, refused.message(), without_ids)
    };
    let rows = read(message.clone());
    for again in in_both_encodings(&message, &traces_json(&message), json::traces) {
        assert_eq!(read(again), rows);
    }
    encoded(&rows.0, |bytes, row| postcard::from_bytes::<Span<'_>>(bytes).is_ok_and(|read| read == *row))
}

fn check_logs(message: ExportLogsServiceRequest) -> Vec<Rows> {
    let read = |message: ExportLogsServiceRequest| {
        let logs::ReadLogs { events, refused } = logs::read(message.resource_logs, reading());
        (events, refused.message())
    };
    let rows = read(message.clone());
    for again in in_both_encodings(&message, &logs_json(&message), json::logs) {
        assert_eq!(read(again), rows);
    }
    encoded(&rows.0, |bytes, row| postcard::from_bytes::<Event<'_>>(bytes).is_ok_and(|read| read == *row))
}

/// The message, sent again in each encoding.
fn in_both_encodings<M: Message + Default>(message: &M, as_json: &Value, from_json: Read<M>) -> Vec<M> {
    let protobuf = decode("application/x-protobuf", &message.encode_to_vec(), from_json);
    let mut again = vec![protobuf.expect("what was encoded is decoded")];
    // Deeper JSON is refused as a whole; in protobuf, the one span or record is.
    if depth(as_json) <= DEEPEST {
        let text = as_json.to_string();
        let json = decode("application/json", text.as_bytes(), from_json);
        again.push(json.unwrap_or_else(|| panic!("it is refused: {text}")));
    }
    again
}

fn decode<M: Message + Default>(content_type: &str, bytes: &[u8], from_json: Read<M>) -> Option<M> {
    let request = Request::builder().header(header::CONTENT_TYPE, content_type).body(Body::from(bytes.to_vec()));
    let export = Export::from_request(request.expect("a request"), &());
    RUNTIME.block_on(export).ok()?.decode(from_json).ok()
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let of_vendors: [&[u8]; 2] = [
        include_bytes!("../../../data/otlp/openinference-0.pb"),
        include_bytes!("../../../data/otlp/openllmetry-0.pb"),
    ];
    let as_json = of_vendors.map(|bytes| {
        let message = ExportTraceServiceRequest::decode(bytes).expect("an export");
        traces_json(&message).to_string().into_bytes()
    });
    let golden: [&[u8]; 2] =
        [include_bytes!("../../../data/otlp/trace.json"), include_bytes!("../../../data/otlp/logs.json")];
    of_vendors.into_iter().chain(golden).map(<[u8]>::to_vec).chain(as_json).collect()
}
