//! The product: stories with numbers that can be counted by hand, and the truth.

mod funnel;
mod mirror;
mod random;
mod retention;
mod stories;
mod truth;

use chartwell::config::UnknownEvents;
use chartwell::ingest::product_event;
use chartwell::json;
use chartwell::rows::ProductEvent;
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;

use crate::support::{TestApp, account};

/// An application whose rows are as old as a test wants: nothing is too old, and nothing is deleted for its age.
pub async fn app(name: &str) -> TestApp {
    let app = TestApp::start(name).await;
    keep_all(&app).await;
    app
}

/// Takes the time that rows are kept off the tables.
pub async fn keep_all(app: &TestApp) {
    for table in ["product_telemetry_events", "product_facts", "product_uses_1d", "product_presence_15m"] {
        let sql = format!("ALTER TABLE {}_analytics.{table} REMOVE TTL", app.account);
        app.clickhouse.execute(&sql).await.unwrap();
    }
}

/// Stores events as if each came in when it occurred.
pub async fn store(app: &TestApp, events: &[Value]) {
    let texts: Vec<String> = events.iter().map(Value::to_string).collect();
    let rows: Vec<ProductEvent<'_>> = texts
        .iter()
        .zip(events)
        .map(|(text, event)| {
            let occurred: DateTime<Utc> = event["occurred_at"].as_str().unwrap().parse().unwrap();
            product_event::read(json::read(text).unwrap(), occurred + Duration::minutes(1), UnknownEvents::Refuse)
                .unwrap()
        })
        .collect();
    app.intake.take_as_they_are(&account(&app.account), &rows).await.unwrap();
    app.intake.settled().await;
}
