//! The statements of dashboards, executed.

use regex::Regex;
use serde_json::Value;

use super::{root, text};
use crate::cluster::fill;
use crate::support::TestApp;

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
                let sql = range.replace_all(
                    sql,
                    "$1 >= toDateTime('2026-01-01 00:00:00') AND $1 <= toDateTime('2026-04-01 00:00:00')",
                );
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

#[tokio::test]
async fn each_statement_has_an_answer_with_rows() {
    let app = TestApp::start("deploy_dashboards").await;
    fill(&app).await;
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
