//! Who ran: what a span does not say of it, it takes from the spans above it in the same export.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValueKind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

/// A span by the numbers of its trace, itself and the one above it, with attributes.
struct Told(u8, u8, u8, &'static [(&'static str, &'static str)]);

const CHAT: (&str, &str) = ("gen_ai.operation.name", "chat");

/// In the order in which SDKs send them: what ended first comes first.
const SPANS: [Told; 9] = [
    // Trace 1: a run with a sub-agent; each calls a model, and the sub-agent calls a tool that calls one.
    Told(1, 6, 5, &[CHAT]),
    Told(1, 5, 4, &[("gen_ai.tool.name", "search")]),
    Told(1, 4, 2, &[("gen_ai.agent.name", "researcher"), ("gen_ai.agent.id", "agent-2")]),
    Told(1, 3, 2, &[CHAT, ("user.id", "00000000000000000000000000000003")]),
    Told(
        1,
        2,
        0,
        &[
            ("gen_ai.agent.name", "triage"),
            ("gen_ai.agent.version", "1.4"),
            ("gen_ai.conversation.id", "conversation-1"),
            ("user.id", "00000000000000000000000000000001"),
            ("profile_code", "support"),
        ],
    ),
    // Trace 2: the span between a call and the run is not in this export.
    Told(2, 9, 8, &[CHAT]),
    Told(2, 7, 0, &[("gen_ai.agent.name", "answers")]),
    // Trace 3 has no run here, and two spans that name each other.
    Told(3, 11, 10, &[CHAT]),
    Told(3, 10, 11, &[]),
];

fn json_export() -> Vec<u8> {
    let text = |(key, value): &(&str, &str)| json!({"key": key, "value": {"stringValue": value}});
    let span = |Told(trace, span, parent, attributes): &Told| {
        json!({
            "traceId": format!("{trace:032x}"), "spanId": format!("{span:016x}"),
            "parentSpanId": if *parent == 0 { String::new() } else { format!("{parent:016x}") },
            "startTimeUnixNano": "1770000000000000000", "endTimeUnixNano": "1770000001000000000",
            "attributes": attributes.iter().map(text).collect::<Vec<_>>(),
        })
    };
    let resource = json!({"attributes": [text(&("service.version", "7.2"))]});
    let spans: Vec<Value> = SPANS.iter().map(span).collect();
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}).to_string().into_bytes()
}

fn protobuf_export() -> Vec<u8> {
    let text = |(key, value): &(&str, &str)| KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue { value: Some(AnyValueKind::StringValue((*value).to_owned())) }),
        ..KeyValue::default()
    };
    let span = |Told(trace, span, parent, attributes): &Told| Span {
        trace_id: u128::from(*trace).to_be_bytes().to_vec(),
        span_id: u64::from(*span).to_be_bytes().to_vec(),
        parent_span_id: if *parent == 0 { Vec::new() } else { u64::from(*parent).to_be_bytes().to_vec() },
        start_time_unix_nano: 1_770_000_000_000_000_000,
        end_time_unix_nano: 1_770_000_001_000_000_000,
        attributes: attributes.iter().map(text).collect(),
        ..Span::default()
    };
    let resource = Some(Resource { attributes: vec![text(&("service.version", "7.2"))], ..Resource::default() });
    let scope_spans = vec![ScopeSpans { spans: SPANS.iter().map(span).collect(), ..ScopeSpans::default() }];
    let group = ResourceSpans { resource, scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![group] }.encode_to_vec()
}

#[tokio::test]
async fn a_call_belongs_to_the_nearest_agent_above_it_in_either_encoding() {
    let mut told = Vec::new();
    for (account, content_type, body) in [
        ("ancestors_json", "application/json", json_export()),
        ("ancestors_protobuf", "application/x-protobuf", protobuf_export()),
    ] {
        let app = TestApp::start(account).await;
        let request = app.post("/v1/traces").bearer_auth(app.token()).header("content-type", content_type);
        assert_eq!(request.body(body).send().await.unwrap().status(), StatusCode::OK);
        app.intake.settled().await;
        let sql = format!(
            "SELECT concat(toString(reinterpretAsUInt64(reverse(unhex(span_id)))), ': ', assistant_code, ' ', assistant_version, ' ', agent_id, \
             ' ', conversation_id, ' ', substring(user_id_hash, 32), ' ', ifNull(profile_code, '-')) \
             FROM {account}_analytics.assistants_tracing_spans ORDER BY span_id"
        );
        told.push(app.clickhouse.fetch::<String>(&sql).await.unwrap().join("\n"));
        let freshness = app.get("/api/v1/freshness").await.to_string();
        assert!(freshness.contains("(span above)"), "{freshness}");
    }
    // The sub-agent has no version of its own; what the service has is told of every span.
    insta::assert_snapshot!(told[0], @"
    2: triage 1.4  conversation-1 1 support
    3: triage 1.4  conversation-1 3 support
    4: researcher 7.2 agent-2 conversation-1 1 support
    5: researcher 7.2 agent-2 conversation-1 1 support
    6: researcher 7.2 agent-2 conversation-1 1 support
    7: answers 7.2    -
    9: answers 7.2    -
    10:  7.2    -
    11:  7.2    -
    ");
    assert_eq!(told[0], told[1]);
}
