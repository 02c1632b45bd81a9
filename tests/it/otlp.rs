//! OTLP over HTTP: real exports, both encodings, and every rule for a receiver.

use std::io::Write;

use chartwell::rows::hex;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValueKind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApp, Via, json_of, sign, with};

const TRACES: &str = "/v1/traces";
const LOGS: &str = "/v1/logs";
const GOLDEN: &str = include_str!("../data/otlp/trace.json");
const GOLDEN_LOGS: &str = include_str!("../data/otlp/logs.json");

async fn post(app: &TestApp, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Response {
    app.post(path).bearer_auth(app.token()).header("content-type", content_type).body(body).send().await.unwrap()
}

/// Stored spans as JSON, in the order of their ids.
async fn stored(app: &TestApp, columns: &str) -> Vec<Value> {
    app.intake.settled().await;
    let sql = format!(
        "SELECT toJSONString(tuple({columns})) FROM {}_analytics.assistants_tracing_spans ORDER BY start_time, span_id",
        app.account
    );
    let rows: Vec<String> = app.clickhouse.fetch(&sql).await.unwrap();
    rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The golden trace as protobuf, made without our own reading of its JSON.
fn golden_protobuf() -> Vec<u8> {
    let text = |key: &str, value: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(AnyValueKind::StringValue(value.to_owned())) }),
        ..KeyValue::default()
    };
    let mut resource = ResourceSpans { resource: Some(Default::default()), ..ResourceSpans::default() };
    resource.resource.as_mut().unwrap().attributes = vec![text("service.name", "my.service")];
    let mut scope = ScopeSpans { scope: Some(Default::default()), ..ScopeSpans::default() };
    let instrumentation = scope.scope.as_mut().unwrap();
    (instrumentation.name, instrumentation.version) = ("my.library".to_owned(), "1.0.0".to_owned());
    instrumentation.attributes = vec![text("my.scope.attribute", "some scope attribute")];
    scope.spans = vec![Span {
        trace_id: 0x5B8E_FFF7_9803_8103_D269_B633_813F_C60C_u128.to_be_bytes().to_vec(),
        span_id: 0xEEE1_9B7E_C3C1_B174_u64.to_be_bytes().to_vec(),
        parent_span_id: 0xEEE1_9B7E_C3C1_B173_u64.to_be_bytes().to_vec(),
        name: "I'm a server span".to_owned(),
        start_time_unix_nano: 1_544_712_660_000_000_000,
        end_time_unix_nano: 1_544_712_661_000_000_000,
        kind: 2,
        attributes: vec![text("my.span.attr", "some value")],
        ..Span::default()
    }];
    resource.scope_spans = vec![scope];
    ExportTraceServiceRequest { resource_spans: vec![resource] }.encode_to_vec()
}

#[tokio::test]
async fn the_golden_trace_gives_the_same_row_in_every_encoding() {
    let everything = "* EXCEPT (ingested_at)";
    let mut rows = Vec::new();
    for (account, content_type, body, is_compressed) in [
        ("golden_json", "application/json; charset=utf-8", GOLDEN.as_bytes().to_vec(), false),
        ("golden_protobuf", "application/x-protobuf", golden_protobuf(), false),
        ("golden_gzip", "application/json", gzip(GOLDEN.as_bytes()), true),
        ("golden_gzip_protobuf", "application/x-protobuf", gzip(&golden_protobuf()), true),
    ] {
        let app = TestApp::start(account).await;
        let mut request = app.post(TRACES).bearer_auth(app.token()).header("content-type", content_type).body(body);
        if is_compressed {
            request = request.header("content-encoding", "gzip");
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let answer = response.text().await.unwrap();
        assert_eq!(answer, if content_type.contains("json") { "{}" } else { "" });
        rows.push(stored(&app, everything).await);
        let duration = stored(&app, "dateDiff('millisecond', start_time, end_time), span_id, parent_id, kind").await;
        assert_eq!(duration, [json!([1_000, "eee19b7ec3c1b174", "eee19b7ec3c1b173", "SERVER"])]);
    }
    assert!(rows.iter().all(|of_one| of_one == &rows[0] && of_one.len() == 1), "{rows:#?}");
    insta::assert_json_snapshot!(rows[0][0]);
}

#[tokio::test]
async fn real_exports_of_two_generations_say_the_same() {
    let totals = "countIf(parent_id = '') AS runs, sumIf(input_tokens, operation = 'chat') AS input_sum, sumIf(output_tokens, operation = 'chat') AS output_sum, \
        sumIf(cached_input_tokens, operation = 'chat') AS cached, countIf(time_to_first_token_ms > 0) AS streamed, groupUniqArrayIf(model, model != '') AS models, \
        arraySort(groupUniqArray(error_type)) AS errors, countIf(status_code = 'ERROR') AS failed, arraySort(groupUniqArrayIf(assistant_code, assistant_code != '')) AS assistants, \
        uniqIf(conversation_id, conversation_id != '') AS conversations, uniqIf(user_id_hash, user_id_hash != '') AS users, groupUniqArray(environment) AS environments, \
        groupUniqArray(assistant_version) AS versions, toString(sum(cost_usd)) AS cost, countIf(input != '' AND operation = 'chat') AS inputs, countIf(output != '' AND operation = 'chat') AS outputs, \
        groupUniqArrayIf(provider, provider != '') AS providers, arraySort(groupUniqArray(operation)) AS operations, arraySort(groupUniqArray(tool_name)) AS tools, groupUniqArrayIf(model_temperature, model_temperature > 0) AS temperatures";
    let mut answers = Vec::new();
    for (account, body) in [
        ("openinference", include_bytes!("../data/otlp/openinference-0.pb").to_vec()),
        ("openllmetry", include_bytes!("../data/otlp/openllmetry-0.pb").to_vec()),
    ] {
        let app = TestApp::start(account).await;
        let response = post(&app, TRACES, "application/x-protobuf", body).await;
        assert_eq!((response.status(), response.bytes().await.unwrap().len()), (StatusCode::OK, 0));
        app.intake.settled().await;
        let sql = format!(
            "SELECT formatRow('JSONEachRow', *) FROM (SELECT {totals} FROM {account}_analytics.assistants_tracing_spans)"
        );
        let answer: Vec<String> = app.clickhouse.fetch(&sql).await.unwrap();
        let mut answer: Value = serde_json::from_str(&answer[0]).unwrap();
        answer["models"].as_array_mut().unwrap().sort_by_key(Value::to_string);
        answers.push(answer);
        let people = stored(&app, "toString(attributes), user_id_hash").await;
        assert!(!json!(people).to_string().contains("user-0"), "a raw user id was kept");
    }
    assert_eq!(answers[0], answers[1]);
    insta::assert_json_snapshot!(answers[0]);
}

#[tokio::test]
async fn a_span_that_is_delivered_twice_is_stored_once() {
    let app = TestApp::start("otlp_twice").await;
    for body in [
        GOLDEN.to_owned(),
        GOLDEN.to_owned(),
        GOLDEN.to_lowercase().replace("traceid", "traceId").replace("spanid", "spanId"),
    ] {
        let response = post(&app, TRACES, "application/json", body).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
    let response = post(&app, TRACES, "application/x-protobuf", golden_protobuf()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(stored(&app, "trace_id").await.len(), 1);
}

fn span(changes: Value) -> Value {
    let span = json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "s", "kind": 1,
        "startTimeUnixNano": "1770000000000000000", "endTimeUnixNano": "1770000001000000000",
    });
    with(span, changes)
}

fn export(spans: &[Value]) -> Value {
    json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
}

async fn rejected(app: &TestApp, export: &Value) -> (StatusCode, Value) {
    let response = post(app, TRACES, "application/json", export.to_string()).await;
    (response.status(), json_of(response).await)
}

#[tokio::test]
async fn good_spans_are_kept_and_bad_ones_are_counted_and_named() {
    let app = TestApp::start("otlp_partial").await;
    let bad = [
        json!({"traceId": "00000000000000000000000000000000"}),
        json!({"traceId": "0af7"}),
        json!({"traceId": "zzz7651916cd43dd8448eb211c80319c"}),
        json!({"spanId": "0000000000000000"}),
        json!({"spanId": ""}),
        json!({"parentSpanId": "abcd"}),
        json!({"startTimeUnixNano": "9999999999000000000"}),
        json!({"startTimeUnixNano": 5}),
        json!({"name": 5}),
    ];
    let mut spans: Vec<Value> = bad.iter().cloned().map(span).collect();
    spans.push(span(json!({"name": "good"})));
    let (status, answer) = rejected(&app, &export(&spans)).await;
    assert_eq!((status, &answer["partialSuccess"]["rejectedSpans"]), (StatusCode::OK, &json!("9")), "{answer}");
    insta::assert_snapshot!(answer["partialSuccess"]["errorMessage"].as_str().unwrap().replace("; ", ";\n"));
    assert_eq!(stored(&app, "name").await, [json!(["good"])]);

    // The same in protobuf.
    let message = |spans: &[&str]| {
        let spans = spans.iter().map(|id| Span {
            trace_id: vec![1; 16],
            span_id: id.as_bytes().to_vec(),
            start_time_unix_nano: 1_770_000_000_000_000_000,
            end_time_unix_nano: 1_770_000_000_000_000_000,
            ..Span::default()
        });
        let scope = ScopeSpans { spans: spans.collect(), ..ScopeSpans::default() };
        let resource = ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() };
        ExportTraceServiceRequest { resource_spans: vec![resource] }.encode_to_vec()
    };
    let response = post(&app, TRACES, "application/x-protobuf", message(&["8 bytes.", "7 bytes"])).await;
    assert_eq!(response.headers()["content-type"], "application/x-protobuf");
    let body = response.bytes().await.unwrap();
    // partial_success { rejected_spans: 1, error_message: … }
    assert_eq!(&body[2..4], [0x08, 0x01]);
    assert!(String::from_utf8_lossy(&body).contains("invalid_id"), "{}", hex(&body));
}

#[tokio::test]
async fn a_span_whose_end_cannot_be_has_none() {
    let app = TestApp::start("otlp_ends").await;
    let ends = [json!("1770000001000000000"), json!("1770000000000000000"), json!(0), json!("1769999999000000000")];
    let ends = ends.into_iter().chain([json!("9000000000000000000"), json!(u64::MAX), Value::Null]);
    let spans: Vec<Value> = ends
        .enumerate()
        .map(|(index, end)| span(json!({"spanId": format!("{:016x}", index + 1), "endTimeUnixNano": end})))
        .collect();
    assert_eq!(post(&app, TRACES, "application/json", export(&spans).to_string()).await.status(), StatusCode::OK);
    let lasted = "dateDiff('millisecond', start_time, span_end_time), dateDiff('millisecond', start_time, end_time)";
    let none = json!([null, 0]);
    let wanted = [json!([1_000, 1_000]), json!([0, 0]), none.clone(), none.clone(), none.clone(), none.clone(), none];
    assert_eq!(stored(&app, lasted).await, wanted);
}

#[tokio::test]
async fn an_empty_export_is_a_success() {
    let app = TestApp::start("otlp_empty").await;
    for (path, content_type, body, answer) in [
        (TRACES, "application/json", "{}", "{}"),
        (TRACES, "application/json", r#"{"resourceSpans": []}"#, "{}"),
        (TRACES, "application/x-protobuf", "", ""),
        (LOGS, "application/json", "{}", "{}"),
        (LOGS, "application/x-protobuf", "", ""),
    ] {
        let response = post(&app, path, content_type, body).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], content_type);
        assert_eq!(response.text().await.unwrap(), answer);
    }
}

#[tokio::test]
async fn errors_are_a_status_in_the_encoding_of_the_request() {
    let app = TestApp::start("otlp_errors").await;
    let bomb = gzip(&vec![0; 80 << 20]);
    let token = app.token();
    let reading = sign(&chartwell::auth::Claims { scope: "assistants:read".to_owned(), ..app.claims() });
    for (name, content_type, token, encoding, body, status, grpc) in [
        ("not JSON", "application/json", &token, "", b"{".to_vec(), 400, 3),
        ("not protobuf", "application/x-protobuf", &token, "", vec![0xff; 10], 400, 3),
        ("a wrong type", "application/json", &token, "", br#"{"resourceSpans": 5}"#.to_vec(), 400, 3),
        ("broken gzip", "application/x-protobuf", &token, "gzip", b"no gzip".to_vec(), 400, 3),
        ("a bomb", "application/json", &token, "gzip", bomb, 413, 8),
        ("another encoding", "application/json", &token, "br", b"{}".to_vec(), 415, 3),
        ("another type", "text/plain", &token, "", b"{}".to_vec(), 415, 3),
        ("no token", "application/x-protobuf", &"nonsense".to_owned(), "", Vec::new(), 401, 16),
        ("no scope", "application/json", &reading, "", b"{}".to_vec(), 403, 7),
        ("an unknown parameter", "application/json", &token, "", b"{}".to_vec(), 422, 3),
    ] {
        let path = if status == 422 { "/v1/traces?sync=1" } else { TRACES };
        let mut request = app.post(path).bearer_auth(token).header("content-type", content_type).body(body);
        if !encoding.is_empty() {
            request = request.header("content-encoding", encoding);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{name}");
        assert!(response.headers().contains_key("x-request-id"), "{name}");
        let is_protobuf = content_type == "application/x-protobuf";
        assert_eq!(
            response.headers()["content-type"],
            if is_protobuf { "application/x-protobuf" } else { "application/json" },
            "{name}"
        );
        let body = response.bytes().await.unwrap();
        if is_protobuf {
            assert_eq!(&body[..2], [0x08, grpc], "{name}");
        } else {
            let status: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(status["code"], grpc, "{name}: {status}");
            assert!(!status["message"].as_str().unwrap().is_empty());
        }
    }
    let response = app.request(TRACES).bearer_auth(app.token()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn logs_that_were_sent_to_the_path_of_traces_are_told_so() {
    let app = TestApp::start("otlp_wrong_path").await;
    // An export of logs has the same outline as one of traces: its records look like spans without ids.
    let mut logs = ExportLogsServiceRequest::default();
    let record = opentelemetry_proto::tonic::logs::v1::LogRecord::default();
    let scope = opentelemetry_proto::tonic::logs::v1::ScopeLogs { log_records: vec![record], ..Default::default() };
    logs.resource_logs =
        vec![opentelemetry_proto::tonic::logs::v1::ResourceLogs { scope_logs: vec![scope], ..Default::default() }];
    let response = post(&app, TRACES, "application/x-protobuf", logs.encode_to_vec()).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(String::from_utf8_lossy(&response.bytes().await.unwrap()).contains("/v1/logs"));
    let (status, answer) = rejected(&app, &export(&[json!({"name": "a"}), json!({"name": "b"})])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer["message"].as_str().unwrap().contains("/v1/logs"));
}

#[tokio::test]
async fn json_is_read_as_the_protocol_says() {
    let app = TestApp::start("otlp_json").await;
    let value = |kind: &str, value: Value| json!({"key": kind, "value": {kind: value}});
    let attributes = json!([
        value("stringValue", json!("text")),
        value("boolValue", json!(true)),
        value("intValue", json!("9223372036854775807")),
        value("doubleValue", json!("NaN")),
        value("bytesValue", json!("AQID")),
        value("arrayValue", json!({"values": [{"intValue": 1}, {"stringValue": "a"}]})),
        value("kvlistValue", json!({"values": [{"key": "inner", "value": {"doubleValue": 0.5}}]})),
        {"key": "number", "value": {"intValue": 42}},
        {"key": "infinite", "value": {"doubleValue": "-Infinity"}},
        {"key": "empty", "value": {}},
    ]);
    let strange = span(json!({
        "traceId": "0AF7651916CD43DD8448EB211C80319C", "attributes": attributes, "unknownField": {"a": [1]}, "start_time_unix_nano": 7,
        "startTimeUnixNano": 1_770_000_000_000_000_000_u64, "status": {"code": 2, "message": "no"}, "traceState": "a=b",
        "events": [{"name": "e", "timeUnixNano": "1770000000500000000", "attributes": [{"key": "k", "value": {"stringValue": "v"}}]}],
        "links": [{"traceId": "0af7651916cd43dd8448eb211c80319d", "spanId": "b7ad6b7169203332"}],
    }));
    // It ends before it starts: clamped.
    let clamped = span(json!({"spanId": "b7ad6b7169203339", "endTimeUnixNano": "1"}));
    let (status, answer) = rejected(&app, &export(&[strange, clamped])).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({})));
    let rows = stored(
        &app,
        "trace_id, status_code, status_description, attributes, context, status, events, links, dateDiff('microsecond', start_time, end_time)",
    )
    .await;
    insta::assert_json_snapshot!(rows);
}

#[tokio::test]
async fn spans_older_than_the_retention_are_refused_by_name() {
    let app = TestApp::start_with("otlp_old", Via::Pipe, |config| config.ingest.retention_days = 90).await;
    let response = post(&app, TRACES, "application/json", GOLDEN).await;
    let answer = json_of(response).await;
    assert_eq!(
        answer,
        json!({"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too_old: the time is longer ago than rows are kept, 90 days (1)"}})
    );
}

#[tokio::test]
async fn logs_become_events() {
    let app = TestApp::start("otlp_logs").await;
    for _ in 0..2 {
        let response = post(&app, LOGS, "application/json", GOLDEN_LOGS).await;
        assert_eq!((response.status(), response.text().await.unwrap().as_str()), (StatusCode::OK, "{}"));
    }
    let record = |body: Value, changes: Value| {
        let record = json!({"timeUnixNano": "1770000000000000000", "body": body});
        json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [with(record, changes)]}]}]}).to_string()
    };
    let said = r#"{"type":"run_finished","run_id":"r1","agent":"router","latency_ms":32,"ts":1770000000000}"#;
    for body in [
        record(json!({"stringValue": said}), json!({})),
        record(
            json!({"kvlistValue": {"values": [{"key": "outcome", "value": {"stringValue": "ok"}}]}}),
            json!({"eventName": "interaction"}),
        ),
        record(
            json!({"stringValue": "text"}),
            json!({"attributes": [{"key": "event.name", "value": {"stringValue": "named"}}, {"key": "profile_code", "value": {"stringValue": "p"}}]}),
        ),
    ] {
        let response = post(&app, LOGS, "application/json", body).await;
        assert_eq!((response.status(), response.text().await.unwrap().as_str()), (StatusCode::OK, "{}"));
    }
    let bad = record(json!({"stringValue": r#"{"event":"e","latency_ms":"fast"}"#}), json!({}));
    let answer = json_of(post(&app, LOGS, "application/json", bad).await).await;
    assert_eq!(answer["partialSuccess"]["rejectedLogRecords"], "1", "{answer}");
    app.intake.settled().await;
    let sql = "SELECT toJSONString(tuple(event, profile_code, toString(time_utc), data)) FROM otlp_logs_analytics.events ORDER BY time_utc, event";
    let rows: Vec<String> = app.clickhouse.fetch(sql).await.unwrap();
    let rows: Vec<Value> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    insta::assert_json_snapshot!(rows);
}
