//! The statements of dashboards, executed.

use regex::Regex;
use serde_json::{Value, json};

use super::{root, text};
use crate::cluster::fill;
use crate::support::{TestApp, json_of};

/// Every statement of the dashboards for ClickHouse, with its place. Grafana puts a range of time, a step and the account
/// in; so does this.
pub fn statements(account: &str) -> Vec<(String, String)> {
    let range = Regex::new(r"\$__timeFilter\((\w+)\)").unwrap();
    let step = Regex::new(r"\$__timeInterval\((\w+)\)").unwrap();
    let mut statements = Vec::new();
    for entry in std::fs::read_dir(root().join("deploy/grafana/dashboards")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let board: Value = serde_json::from_str(&text(&format!("deploy/grafana/dashboards/{name}"))).unwrap();
        for panel in board["panels"].as_array().unwrap() {
            for sql in panel["targets"].as_array().unwrap().iter().filter_map(|target| target["rawSql"].as_str()) {
                let sql = range.replace_all(sql, "$1 >= toDateTime('2026-01-01 00:00:00') AND $1 <= now() + 60");
                let sql = step.replace_all(&sql, "toStartOfInterval(toDateTime($1), INTERVAL 3600 second)");
                let sql = sql.replace("${account}", account);
                assert!(!sql.contains("$__") && !sql.contains("${"), "{name}: {sql}");
                statements.push((format!("{name}: {}", panel["title"].as_str().unwrap()), sql));
            }
        }
    }
    assert!(statements.len() > 25, "{}", statements.len());
    statements
}

/// Product events of today: those of the benches are of a time that is not kept any more.
async fn use_the_product(app: &TestApp) {
    let event = |name: &str, payload: Value| {
        json!({"name": name, "schema_version": "v1", "org_id_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "session_id": "session-0f9a8b7c6d5e", "anonymous_user_id": "visitor-0f9a8b7c6d5e", "route_pattern": "/reports/:id", "payload": payload})
    };
    let events = [
        event("page_viewed", json!({})),
        event("feature_viewed", json!({"feature": "saved-views", "surface": "sidebar"})),
        event("filter_changed", json!({"view": "calls", "filterKey": "team", "valueCount": 3})),
        event("client_error", json!({"boundary": "page", "error_class": "TypeError"})),
    ];
    let sent = app.post("/api/v1/product-events").bearer_auth(app.token()).json(&events).send().await.unwrap();
    assert_eq!(json_of(sent).await["accepted"], 4);
    app.intake.settled().await;
}

#[tokio::test]
async fn each_statement_has_an_answer_with_rows() {
    let app = TestApp::start("deploy_dashboards").await;
    fill(&app).await;
    use_the_product(&app).await;
    for (place, statement) in statements(&app.account) {
        let described = app.clickhouse.fetch::<String>(&format!("SELECT toString(count()) FROM ({statement})")).await;
        let rows = described.unwrap_or_else(|error| panic!("{place}: {error}\n{statement}"));
        assert_ne!(rows, ["0"], "{place}: it has no rows\n{statement}");
        // What a series of times is made of, where there is one.
        if statement.contains("AS time") {
            let types = format!("SELECT type FROM (DESCRIBE ({statement}))");
            let types: Vec<String> = app.clickhouse.fetch(&types).await.unwrap_or_default();
            assert!(types.is_empty() || types[0].starts_with("Date"), "{place}: {types:?}");
        }
    }
}
