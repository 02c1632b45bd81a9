//! What the program tells of itself: metrics and traces.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, path::PathBuf};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;

use crate::program::Program;
use crate::support::{TestApp, claims, eventually, sign};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The names of metrics in a text that has them between signs of this kind.
fn named(text: &str, quote: char) -> BTreeSet<String> {
    let words = text.split(quote).filter_map(|word| word.split('{').next());
    words
        .filter(|word| word.starts_with("chartwell_") && word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_metric_is_described_and_every_description_is_of_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut told = BTreeSet::new();
    for path in sources(&root.join("src")) {
        told.extend(named(&fs::read_to_string(path).unwrap_or_default(), '"'));
    }
    assert!(told.len() > 20);
    let described = named(&fs::read_to_string(root.join("docs/operations.md")).unwrap(), '`');
    let missing: Vec<&String> = told.difference(&described).collect();
    assert!(missing.is_empty(), "not described: {missing:?}");
    let all: BTreeSet<String> =
        told.into_iter().flat_map(|name| [format!("{name}_count"), format!("{name}_sum"), name]).collect();
    let unknown: Vec<&String> = described.difference(&all).collect();
    assert!(unknown.is_empty(), "there is no {unknown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_measured_at_the_start_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), "signals_start");
    let metrics = reqwest::get(format!("{}/metrics", program.url)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\nchartwell_spool_capacity_bytes 2147483648\n"), "{metrics}");
}

#[tokio::test]
async fn metrics_tell_of_questions_inserts_and_the_process() {
    let app = TestApp::start("signals_metrics").await;
    app.store(&[json!({"event": "Send Message", "data": {"text_length": 3}})]).await;
    let path = "/api/v1/recommendations/totals?range=yesterday";
    app.get(path).await;
    let metrics = async || app.request("/metrics").send().await.unwrap().text().await.unwrap();
    let value = |metrics: &str, name: &str| -> f64 {
        let lines = metrics.lines().filter(|line| line.starts_with(name));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    };
    let before = metrics().await;
    app.get(path).await;
    let after = metrics().await;
    let hits = "chartwell_query_cache_hits_total";
    assert!(value(&after, hits) > value(&before, hits));
    for name in [
        "chartwell_account_query_seconds_count{account=\"signals_metrics\"}",
        "chartwell_inserts_total{table=\"events\",result=\"inserted\"}",
        "chartwell_insert_seconds_count{table=\"events\"}",
        "chartwell_query_wait_seconds_count",
        "chartwell_spool_capacity_bytes",
        "chartwell_build_info{version=",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
    ] {
        assert!(value(&after, name) > 0.0, "{name}");
    }
    for name in ["chartwell_queries_running", "chartwell_queries_waiting"] {
        assert!(after.contains(&format!("\n{name} 0")), "{name}");
    }
}

type Exports = Arc<Mutex<Vec<ExportTraceServiceRequest>>>;

/// A collector that keeps what it is told.
async fn collector() -> (String, Exports) {
    let exports = Exports::default();
    let kept = Arc::clone(&exports);
    let router = Router::new().route(
        "/v1/traces",
        post(move |body: Bytes| async move {
            kept.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, exports)
}

fn spans(exports: &Exports) -> Vec<Span> {
    let exports = exports.lock().unwrap();
    let resources = exports.iter().flat_map(|export| &export.resource_spans);
    resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans).cloned().collect()
}

fn text(span: &Span, name: &str) -> Option<String> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == name)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        AnyValue::StringValue(text) => Some(text.clone()),
        AnyValue::IntValue(number) => Some(number.to_string()),
        AnyValue::DoubleValue(number) => Some(number.to_string()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_questions_and_inserts_are_traces_of_their_own() {
    let (url, exports) = collector().await;
    let folder = tempfile::tempdir().unwrap();
    let account = "signals_traces";
    let mut program = Program::start_with(folder.path(), account, &[("CHARTWELL_OWN_TRACES_URL", &url)]);
    let http = reqwest::Client::new();
    let event = json!({"event": "Send Message", "visitor_id": "jane-doe-secret", "data": {"text_length": 3}});
    let sent = http.post(format!("{}/api/v1/events", program.url)).bearer_auth(sign(&claims(account))).json(&event);
    assert_eq!(sent.send().await.unwrap().status(), 202);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let path = "/api/v1/recommendations/totals?range=24h&filter=data.text_length:eq:31415";
    let asked = http.get(format!("{}{path}", program.url)).bearer_auth(sign(&claims(account)));
    let asked = asked.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01")).header("x-request-id", "told-1");
    assert_eq!(asked.send().await.unwrap().status(), 200);
    assert_eq!(http.get(format!("{}/nowhere", program.url)).send().await.unwrap().status(), 404);
    program.signal("-TERM");
    assert!(program.wait().success());

    // What was not told yet is told at the end.
    eventually(Duration::from_secs(60), || async { spans(&exports).len() >= 4 }).await;
    let spans = spans(&exports);
    let named =
        |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name}: {spans:?}"));
    let request = named("GET /api/v1/recommendations/totals");
    assert_eq!(request.trace_id.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), trace);
    assert_eq!(text(request, "chartwell.account").as_deref(), Some(account));
    assert_eq!(text(request, "chartwell.request_id").as_deref(), Some("told-1"));
    assert_eq!(text(request, "http.response.status_code").as_deref(), Some("200"));
    let question = named("recommendations/totals.sql");
    assert_eq!((&question.trace_id, &question.parent_span_id), (&request.trace_id, &request.span_id));
    assert!(text(question, "chartwell.waited_ms").is_some() && text(question, "chartwell.rows_read").is_some());
    assert!(question.start_time_unix_nano < question.end_time_unix_nano);
    let insert = named("INSERT events");
    assert_eq!(text(insert, "db.operation.batch.size").as_deref(), Some("1"));
    assert!(insert.parent_span_id.is_empty());
    assert_eq!(text(named("GET unmatched"), "http.response.status_code").as_deref(), Some("404"));
    // No values, neither of rows nor of questions.
    let told = format!("{:?}", exports.lock().unwrap());
    for value in ["jane-doe-secret", "31415", "Send Message"] {
        assert!(!told.contains(value), "{value}");
    }
    let resource = &exports.lock().unwrap()[0].resource_spans[0].resource;
    assert!(format!("{resource:?}").contains("\"chartwell\""));
    assert!(!program.log().contains("chartwell::trace"), "{}", program.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_are_summed_up_while_nobody_reads_the_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("CHARTWELL_LOG", "info,chartwell::telemetry=trace")];
    let mut program = Program::start_with(folder.path(), "signals_samples", &settings);
    eventually(Duration::from_secs(30), || async {
        program.log().matches("samples of metrics are summed up").count() >= 2
    })
    .await;
    program.signal("-TERM");
    assert!(program.wait().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let account = "signals_away";
    let mut program =
        Program::start_with(folder.path(), account, &[("CHARTWELL_OWN_TRACES_URL", "http://127.0.0.1:9/v1/traces")]);
    let url = format!("{}/api/v1/me", program.url);
    for _ in 0..50 {
        let answer = reqwest::Client::new().get(&url).bearer_auth(sign(&claims(account))).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let began = std::time::Instant::now();
    program.signal("-TERM");
    assert!(program.wait().success());
    assert!(began.elapsed() < Duration::from_secs(20));
}
