//! Taking in product events: what the catalogue has is stored, and nothing that says who it was.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{TestApp, json_of, with};

const ORGANISATION: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn event(changes: Value) -> Value {
    let event = json!({
        "name": "feature_viewed", "schema_version": "2026-05-telemetry-v1", "org_id_hash": ORGANISATION, "session_id": "session-0f9a8b7c6d5e",
        "anonymous_user_id": "visitor-0f9a8b7c6d5e", "route_pattern": "/reports/:id", "payload": {"feature": "saved-views", "surface": "sidebar"},
    });
    with(event, changes)
}

async fn post(app: &TestApp, events: &Value) -> (StatusCode, Value) {
    let response = app.post("/api/v1/product-events").bearer_auth(app.token()).json(events).send().await.unwrap();
    (response.status(), json_of(response).await)
}

async fn stored(app: &TestApp, columns: &str) -> Vec<Value> {
    app.intake.settled().await;
    let sql = format!(
        "SELECT toJSONString(tuple({columns})) FROM {}_analytics.product_telemetry_events ORDER BY name, occurred_at",
        app.account
    );
    let rows: Vec<String> = app.clickhouse.fetch(&sql).await.unwrap();
    rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

#[tokio::test]
async fn every_event_of_the_catalogue_is_stored_in_both_spellings() {
    let app = TestApp::start("product_catalogue").await;
    let events = json!([
        event(json!({"name": "page_viewed", "payload": {"previousRoutePattern": "/"}})),
        event(json!({})),
        event(json!({"name": "filter_changed", "payload": {"view": "calls", "filterKey": "team", "valueCount": 3}})),
        event(json!({"name": "chart_interacted", "payload": {"chart": "bar", "action": "zoom", "surface": "report"}})),
        event(json!({"name": "client_error", "payload": {"boundary": "page", "error_class": "TypeError"}, "source": "desktop"})),
        event(json!({"name": "session_ended", "payload": {"durationMs": 61_000, "pages_viewed": 5, "interactions": 12}})),
        {"name": "page_viewed", "schemaVersion": "v1", "orgIdHash": ORGANISATION, "sessionId": "session-0f9a8b7c6d5e", "anonymousUserId": "visitor-0f9a8b7c6d5e",
         "routePattern": "/", "eventId": "018f5a3e-7b2c-7d4e-9a1b-2c3d4e5f6a7b"},
    ]);
    assert_eq!(
        post(&app, &events).await,
        (StatusCode::ACCEPTED, json!({"accepted": 7, "duplicates": 0, "rejected": []}))
    );
    let again = json!([events[6]]);
    assert_eq!(post(&app, &again).await.1["duplicates"], 1);
    let rows = stored(&app, "name, schema_version, session_id, anonymous_user_id, route_pattern, source, org_id_hash = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'").await;
    assert_eq!(rows.len(), 7);
    assert!(rows.iter().all(|row| row[2] == "session-0f9a8b7c6d5e" && row[6] == 1), "{rows:#?}");
    let payloads = "payload_json.feature, payload_json.filter_key, payload_json.value_count, payload_json.chart, payload_json.error_class, payload_json.duration_ms, payload_json.previous_route_pattern";
    let payloads = stored(&app, &format!("name, {payloads}")).await;
    insta::assert_snapshot!(payloads.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"));
}

#[tokio::test]
async fn what_could_tell_who_it_was_is_refused_and_named_and_the_rest_is_kept() {
    let app = TestApp::start("product_private").await;
    let bad = [
        (json!({"route_pattern": "https://app.example/reports/1"}), "raw_url", "/route_pattern"),
        (json!({"route_pattern": "/reports?team=sales"}), "raw_url", "/route_pattern"),
        (json!({"route_pattern": "/reports/48213"}), "raw_url", "/route_pattern"),
        (json!({"route_pattern": "/people/jane@example.org"}), "email", "/route_pattern"),
        (json!({"payload": {"feature": "jane@example.org"}}), "email", "/payload/feature"),
        (json!({"payload": {"feature": "a?b=c"}}), "raw_url", "/payload/feature"),
        (json!({"payload": {"feature": "Jane Doe 💶"}}), "not_a_name", "/payload/feature"),
        (json!({"payload": {"feature": "x", "label": "y"}}), "forbidden_field", "/payload/label"),
        (
            json!({"name": "filter_changed", "payload": {"filterKey": "team", "values": ["sales"]}}),
            "forbidden_field",
            "/payload/values",
        ),
        (
            json!({"name": "filter_changed", "payload": {"filterKey": "team", "valueCount": "sales"}}),
            "invalid_type",
            "/payload/valueCount",
        ),
        (json!({"user_id": 17}), "forbidden_field", "/user_id"),
        (json!({"email": "jane@example.org"}), "forbidden_field", "/email"),
        (json!({"url": "https://app.example/"}), "forbidden_field", "/url"),
        (json!({"org_id_hash": "acme"}), "raw_id", "/org_id_hash"),
        (json!({"org_id_hash": 17}), "invalid_type", "/org_id_hash"),
        (json!({"anonymous_user_id": "1234567890123456789"}), "raw_id", "/anonymous_user_id"),
        (json!({"anonymous_user_id": "jane@example.org"}), "raw_id", "/anonymous_user_id"),
        (json!({"session_id": "17"}), "raw_id", "/session_id"),
        (json!({"name": "mouse_moved"}), "unknown_event_name", "/name"),
        (json!({"occurred_at": "2025-01-01T00:00:00Z"}), "too_old", "/occurred_at"),
        (json!({"occurred_at": "2999-01-01T00:00:00Z"}), "in_the_future", "/occurred_at"),
        (json!({"schema_version": null}), "missing_field", "/schema_version"),
        (json!({"event_id": "17"}), "invalid_event_id", "/event_id"),
        (json!({"payload": [1]}), "invalid_type", "/payload"),
    ];
    let mut events: Vec<Value> = bad.iter().map(|(changes, ..)| event(changes.clone())).collect();
    events.push(event(json!({})));
    let (status, answer) = post(&app, &json!(events)).await;
    assert_eq!((status, &answer["accepted"]), (StatusCode::ACCEPTED, &json!(1)), "{answer}");
    let rejected = answer["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), bad.len(), "{rejected:#?}");
    for ((changes, code, pointer), rejected) in bad.iter().zip(rejected) {
        assert_eq!((&rejected["code"], &rejected["pointer"]), (&json!(code), &json!(pointer)), "{changes}: {rejected}");
    }
    // The answer names the field and does not repeat what it says.
    assert!(!answer.to_string().contains("jane@example.org"), "{answer}");
    assert_eq!(stored(&app, "name").await.len(), 1);
}
