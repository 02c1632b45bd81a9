//! OTLP: both encodings of a message give the same rows.

use std::fmt::Debug;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use chartwell::ingest::otlp::encoding::Export;
use chartwell::ingest::otlp::{Exported, Item, logs, spans};
use chartwell::ingest::{Coverage, PriceBook, Rejection};
use chartwell::json::DEEPEST;
use chartwell::rows::{Event, Row, Rows, Span};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span as SpanMessage;
use prost::Message;
use serde_json::Value;

use super::otlp_json::{logs as logs_json, traces as traces_json};
use super::rows::encoded;
use super::{RUNTIME, reading};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

static PRICES: LazyLock<PriceBook> = LazyLock::new(PriceBook::built_in);

/// The bytes as an export of either kind, in either encoding.
pub fn check(bytes: &[u8]) -> Vec<Rows> {
    let traces = ExportTraceServiceRequest::decode(bytes).ok();
    let as_spans = check_export(bytes, traces.map(|message| (message.encode_to_vec(), traces_json(&message))), span);
    let logs = ExportLogsServiceRequest::decode(bytes).ok();
    let as_events = check_export(bytes, logs.map(|message| (message.encode_to_vec(), logs_json(&message))), record);
    let same_span = |bytes: &[u8], row: &_| postcard::from_bytes::<Span<'_>>(bytes).is_ok_and(|read| read == *row);
    let same_event = |bytes: &[u8], row: &_| postcard::from_bytes::<Event<'_>>(bytes).is_ok_and(|read| read == *row);
    let spans = as_spans.iter().flat_map(|rows| encoded(rows, same_span));
    spans.chain(as_events.iter().flat_map(|rows| encoded(rows, same_event))).collect()
}

fn span(exported: Exported<SpanMessage>) -> Result<Span<'static>, Rejection> {
    let coverage = Coverage::default();
    spans::read(exported, spans::SpanReading { reading: reading(), prices: &PRICES, coverage: &coverage })
}

fn record(exported: Exported<LogRecord>) -> Result<Event<'static>, Rejection> {
    logs::read(exported, reading())
}

/// Reads the bytes in each encoding. If they are a message, it is encoded again in each, and that gives the same.
fn check_export<M: Item, R: Row<'static> + PartialEq + Debug>(
    bytes: &[u8],
    message: Option<(Vec<u8>, Value)>,
    read: fn(Exported<M>) -> Result<R, Rejection>,
) -> Vec<Vec<R>> {
    let [as_protobuf, as_json] = [PROTOBUF, JSON].map(|content_type| read_items(content_type, bytes, read));
    if let Some((protobuf, json)) = message {
        assert!(as_protobuf.is_some(), "what is decoded as a whole is told apart");
        assert_eq!(read_items(PROTOBUF, &protobuf, read), as_protobuf);
        // Deeper JSON cannot be read; in protobuf, attributes that are too deep are refused.
        if depth(&json) <= DEEPEST {
            let text = json.to_string();
            assert_eq!(read_items(JSON, text.as_bytes(), read), as_protobuf, "{text}");
        }
    }
    [as_protobuf, as_json].into_iter().flatten().map(|items| items.into_iter().flatten().collect()).collect()
}

fn read_items<M: Item, R>(
    content_type: &str,
    bytes: &[u8],
    read: fn(Exported<M>) -> Result<R, Rejection>,
) -> Option<Vec<Result<R, Rejection>>> {
    let request = Request::builder().header(header::CONTENT_TYPE, content_type).body(Body::from(bytes.to_vec()));
    let export = Export::from_request(request.expect("a request"), &());
    let export = RUNTIME.block_on(export).ok()?;
    Some(export.items::<M>().ok()?.map(|item| item.and_then(read)).collect())
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
