//! The mirror of product events: nothing unless it is configured, and then what is named and nothing else.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use chartwell::config::{Config, UnknownEvents};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Told;
use prost::Message;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{TestApp, Via, json_of, with};

/// A collector that keeps what it is told.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/logs", listener.local_addr().unwrap());
        let take = |State(collector): State<Self>, body: Bytes| async move {
            collector.0.lock().unwrap().push(body);
        };
        let router = Router::new().route("/v1/logs", post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, url)
    }

    /// What it was told, when it was told so many times.
    async fn told(&self, times: usize) -> Vec<Bytes> {
        for _ in 0..200 {
            if self.0.lock().unwrap().len() >= times {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.0.lock().unwrap().clone()
    }
}

fn event(changes: Value) -> Value {
    let event = json!({
        "name": "client_error", "schema_version": "v1", "org_id_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "session_id": "session-0f9a8b7c6d5e", "anonymous_user_id": "visitor-0f9a8b7c6d5e", "route_pattern": "/reports/:id",
        "payload": {"boundary": "chart", "error_class": "TypeError"},
    });
    with(event, changes)
}

async fn post_events(app: &TestApp, events: &Value) -> (StatusCode, Value) {
    let response = app.post("/api/v1/product-events").bearer_auth(app.token()).json(events).send().await.unwrap();
    (response.status(), json_of(response).await)
}

fn select(config: &mut Config, events: &[&str], fields: &[&str]) {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    config.product.product_mirror_events = owned(events);
    config.product.product_mirror_fields = owned(fields);
}

#[tokio::test]
async fn only_events_and_fields_that_are_named_are_told() {
    let (collector, url) = Collector::start().await;
    let app = TestApp::start_with("product_mirror", Via::Pipe, |config| {
        config.product.product_mirror_url = Some(url);
        select(config, &["client_error", "session_ended"], &["route_pattern", "error_class", "duration_ms"]);
    })
    .await;
    let events = json!([
        event(json!({})),
        event(json!({"name": "page_viewed", "payload": {}})),
        event(json!({"name": "session_ended", "payload": {"duration_ms": 61_000, "interactions": 3}})),
        // Refused, and so told to nobody.
        event(json!({"route_pattern": "/reports/48213"})),
    ]);
    let (status, answer) = post_events(&app, &events).await;
    assert_eq!((status, &answer["accepted"]), (StatusCode::ACCEPTED, &json!(3)), "{answer}");
    let told = collector.told(1).await;
    assert_eq!(told.len(), 1);
    let export = ExportLogsServiceRequest::decode(told[0].clone()).unwrap();
    let records = &export.resource_logs[0].scope_logs[0].log_records;
    let shown: Vec<String> = records
        .iter()
        .map(|record| {
            let attributes = record.attributes.iter().map(|attribute| {
                let value = attribute.value.as_ref().and_then(|value| value.value.clone());
                match value {
                    Some(Told::StringValue(word)) => format!("{}={word}", attribute.key),
                    Some(Told::IntValue(count)) => format!("{}={count}", attribute.key),
                    other => panic!("{other:?}"),
                }
            });
            format!("{} {}", record.event_name, attributes.collect::<Vec<_>>().join(" "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "client_error route_pattern=/reports/:id error_class=TypeError",
            "session_ended route_pattern=/reports/:id duration_ms=61000"
        ]
    );
    // Who it was is nowhere in it.
    let bytes = String::from_utf8_lossy(&told[0]).into_owned();
    for private in ["session-0f9a8b7c6d5e", "visitor-0f9a8b7c6d5e", "9f86d081884c7d65", "48213", "boundary"] {
        assert!(!bytes.contains(private), "{private}");
    }
}

#[tokio::test]
async fn nothing_is_told_unless_a_place_is_configured_and_a_place_that_is_gone_is_in_nobodys_way() {
    let (collector, url) = Collector::start().await;
    let disabled = TestApp::start_with("product_unmirrored", Via::Pipe, |config| {
        select(config, &["client_error"], &["error_class"]);
    })
    .await;
    assert_eq!(post_events(&disabled, &json!([event(json!({}))])).await.0, StatusCode::ACCEPTED);
    assert!(disabled.ingestion.mirror.is_none());

    let gone = TestApp::start_with("product_mirror_gone", Via::Pipe, |config| {
        config.product.product_mirror_url = Some("http://127.0.0.1:9/v1/logs".to_owned());
        select(config, &["client_error"], &["error_class"]);
    })
    .await;
    assert_eq!(post_events(&gone, &json!([event(json!({}))])).await.0, StatusCode::ACCEPTED);

    // One that is configured is told in the meantime, so that what would come had come.
    let enabled = TestApp::start_with("product_mirrored", Via::Pipe, |config| {
        config.product.product_mirror_url = Some(url);
        select(config, &["client_error"], &[]);
    })
    .await;
    assert_eq!(post_events(&enabled, &json!([event(json!({}))])).await.0, StatusCode::ACCEPTED);
    assert_eq!(collector.told(1).await.len(), 1);
}

#[tokio::test]
async fn unknown_events_are_counted_where_that_is_wanted() {
    let app = TestApp::start_with("product_unknown", Via::Pipe, |config| {
        config.product.product_unknown_events = UnknownEvents::Count;
    })
    .await;
    let unknown = event(json!({"name": "mouse_moved", "payload": {"who": "jane@example.org"}}));
    assert_eq!(post_events(&app, &json!([unknown])).await.1["accepted"], 1);
    app.intake.settled().await;
    let sql = "SELECT concat(toString(name), ' ', toJSONString(payload_json)) FROM product_unknown_analytics.product_telemetry_events";
    let rows: Vec<String> = app.clickhouse.fetch(sql).await.unwrap();
    assert!(rows.len() == 1 && rows[0].starts_with("unknown ") && !rows[0].contains("jane"), "{rows:?}");
    let answer = app.get("/api/v1/product/charts/active-users?range=today&filter=name:eq:unknown").await;
    assert_eq!(answer["series"][0]["data"], json!([1]));
}
