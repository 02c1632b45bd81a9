//! Tables of assistants say what a plain count in Rust says, for random spans and ranges, in every order.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::spans::Row;
use crate::support::{TestApp, json_of, quantile, sign};

/// The rows of a table by their keys, told once more in Rust.
fn expected(table: &str, rows: &[&Row]) -> BTreeMap<String, Value> {
    type Key = fn(&Row) -> String;
    type Counted = fn(&Row) -> bool;
    let (key, is_counted): (Key, Counted) = match table {
        "" => (|row| row.assistant.to_owned(), |_| true),
        "/models" => (|row| row.model.to_owned(), Row::is_call),
        "/tools" => (|row| row.tool.to_owned(), Row::is_tool_call),
        "/operations" => (|row| row.operation.to_owned(), |_| true),
        "/customers" => (|row| row.user.clone(), |row| row.is_root || row.is_call()),
        "/errors" => (|row| row.error_type().to_owned(), Row::is_failed),
        other => panic!("{other}"),
    };
    let mut groups: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    rows.iter().filter(|row| is_counted(row)).for_each(|row| groups.entry(key(row)).or_default().push(row));
    groups.into_iter().map(|(key, rows)| (key, row_of(table, &rows))).collect()
}

fn row_of(table: &str, rows: &[&Row]) -> Value {
    let count = |is_counted: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| is_counted(row)).count() as u64;
    let sum = |value: fn(&Row) -> u64| -> u64 { rows.iter().filter(|row| row.is_call()).map(|row| value(row)).sum() };
    let quantile_of = |level: f64, is_counted: fn(&Row) -> bool, value: fn(&Row) -> Option<f64>| {
        let mut values: Vec<f64> = rows.iter().filter(|row| is_counted(row)).filter_map(|row| value(row)).collect();
        (!values.is_empty()).then(|| quantile(&mut values, level))
    };
    let millis = |row: &Row| row.millis.map(|millis| millis as f64);
    let rate = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let moment = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
    let conversations = rows.iter().map(|row| &row.conversation).filter(|id| !id.is_empty()).collect::<BTreeSet<_>>();
    let cost = rows.iter().filter(|row| row.is_call()).map(|row| row.cost).sum::<u64>();
    let cost = format!("{}.{:06}", cost / 1_000_000, cost % 1_000_000);
    let (calls, priced) = (count(&Row::is_call), count(&|row| row.is_call() && row.is_priced));
    // What each user cost is what is known of it.
    let is_known = priced > 0 || calls == 0 || table == "/customers";
    let common = json!({
        "runs": count(&|row| row.is_root),
        "conversations": conversations.len(),
        "calls": calls,
        "input_tokens": sum(|row| row.input),
        "output_tokens": sum(|row| row.output),
        "cost_usd": is_known.then(|| cost.trim_end_matches('0').trim_end_matches('.')),
    });
    let failed = |part: u64, whole: u64| json!({"error_rate": rate(part, whole), "error_rate_numerator": part, "error_rate_denominator": whole});
    let all: fn(&Row) -> bool = |_| true;
    match table {
        "" => {
            let runs = count(&|row| row.is_root);
            let newest = rows.iter().filter(|row| row.is_root).map(|row| row.start).max();
            let own = json!({
                "p50_ms": quantile_of(0.5, |row| row.is_root, millis), "p95_ms": quantile_of(0.95, |row| row.is_root, millis),
                "priced_calls": priced, "tool_calls": count(&Row::is_tool_call), "newest_run": newest.map(moment), "assistant_name": null,
            });
            joined(&[&common, &own, &failed(count(&|row| row.is_root && row.is_failed()), runs)])
        }
        "/models" => {
            let first_token = |row: &Row| row.first_token_millis.map(f64::from);
            let own = json!({
                "p50_ms": quantile_of(0.5, all, millis), "p95_ms": quantile_of(0.95, all, millis),
                "first_token_p95_ms": quantile_of(0.95, all, first_token), "cached_input_tokens": sum(|row| row.cached),
                "priced_calls": priced, "provider": null,
            });
            let mut joined = joined(&[&common, &own, &failed(count(&Row::is_failed), rows.len() as u64)]);
            joined.as_object_mut().unwrap().retain(|name, _| !["runs", "conversations"].contains(&name.as_str()));
            joined
        }
        "/tools" => {
            let (calls, worked) = (rows.len() as u64, count(&|row| !row.is_failed()));
            json!({
                "calls": calls, "success_rate": rate(worked, calls), "success_rate_numerator": worked, "success_rate_denominator": calls,
                "timeouts": count(&|row| row.is_failed() && row.error == "timeout"),
                "p50_ms": quantile_of(0.5, all, millis), "p95_ms": quantile_of(0.95, all, millis),
            })
        }
        "/operations" => {
            let spans = rows.len() as u64;
            let own = json!({"spans": spans, "p50_ms": quantile_of(0.5, all, millis), "p95_ms": quantile_of(0.95, all, millis)});
            joined(&[&own, &failed(count(&Row::is_failed), spans)])
        }
        "/customers" => common,
        "/errors" => json!({
            "spans": rows.len(), "traces": rows.len(), "conversations": conversations.len(),
            "first_seen": rows.iter().map(|row| row.start).min().map(moment),
            "last_seen": rows.iter().map(|row| row.start).max().map(moment),
        }),
        other => panic!("{other}"),
    }
}

fn joined(parts: &[&Value]) -> Value {
    let fields = parts.iter().flat_map(|part| part.as_object().unwrap().clone());
    Value::Object(fields.collect::<Map<String, Value>>())
}

const TABLES: [(&str, &str); 6] = [
    ("", "assistant_code"),
    ("/models", "model"),
    ("/tools", "tool_name"),
    ("/operations", "operation"),
    ("/customers", "user_id_hash"),
    ("/errors", "error_type"),
];

fn is_close(shown: &Value, wanted: &Value) -> bool {
    match (shown.as_f64(), wanted.as_f64()) {
        (Some(shown), Some(wanted)) => (shown - wanted).abs() <= 1e-6,
        _ => shown == wanted,
    }
}

#[tokio::test]
async fn every_table_is_a_plain_count() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("assistants_tables").await;
    let rows: Vec<Row> = (0..2_000).map(|_| Row::any_priced_or_not(&mut random)).collect();
    let documents: Vec<Value> = rows.iter().enumerate().map(|(index, row)| row.document(index)).collect();
    app.store_spans(&documents).await;
    let mut sources = BTreeSet::new();
    for round in 0..48 {
        let (table, key) = TABLES[round % 6];
        let first = "2026-03-27T20:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let from = first + Duration::minutes(random.i64(-60..3 * 1_440));
        let to = from + Duration::minutes(random.i64(1..3 * 1_440));
        let assistant = ["", "triage"][random.usize(..2)];
        let filter = if assistant.is_empty() { "" } else { "&assistant_codes=triage" };
        let matching: Vec<&Row> = rows
            .iter()
            .filter(|row| from <= row.start && row.start < to && (assistant.is_empty() || row.assistant == assistant))
            .collect();
        let path = format!(
            "/api/v1/assistants{table}?datetime_from={}&datetime_to={}{filter}",
            from.to_rfc3339_opts(SecondsFormat::Secs, true),
            to.to_rfc3339_opts(SecondsFormat::Secs, true)
        );
        let answer = app.get(&format!("{path}&limit=1000")).await;
        let items = answer["items"].as_array().unwrap();
        // A filter on the name of a span, which filters nothing, is answered from raw rows.
        let raw = app.get(&format!("{path}&limit=1000&filter=name:eq:step")).await;
        assert_eq!(raw["meta"]["source"], "raw");
        assert_eq!(raw["items"], answer["items"], "seed {seed}: {path}");
        sources.insert(answer["meta"]["source"].as_str().unwrap().to_owned());
        let wanted = expected(table, &matching);
        assert_eq!(answer["page"]["total"], wanted.len(), "seed {seed}: {path}");
        assert_eq!(items.len(), wanted.len(), "seed {seed}: {path}");
        for item in items {
            let name = item[key].as_str().unwrap_or_default();
            for (field, value) in wanted[name].as_object().unwrap() {
                assert!(
                    is_close(&item[field], value),
                    "seed {seed}: {path} {name} {field}: {} is not {value}",
                    item[field]
                );
            }
        }
        // In the order of any column, page by page, nothing is missing and nothing is there twice.
        let columns: Vec<&String> =
            items.first().map(|item| item.as_object().unwrap().keys().collect()).unwrap_or_default();
        let Some(column) = columns.get(random.usize(..columns.len().max(1))) else { continue };
        let mut paged: Vec<Value> = Vec::new();
        for offset in (0..items.len()).step_by(3) {
            let page = app.get(&format!("{path}&sort=-{column}&limit=3&offset={offset}")).await;
            paged.extend(page["items"].as_array().unwrap().iter().cloned());
        }
        let sorted = |items: &[Value]| items.iter().map(|item| item[key].clone().to_string()).collect::<BTreeSet<_>>();
        assert_eq!((paged.len(), sorted(&paged)), (items.len(), sorted(items)), "seed {seed}: {path} by {column}");
        let in_order = |pair: &[Value]| match (&pair[0][column], &pair[1][column]) {
            (_, Value::Null) => true,
            (Value::Null, _) => false,
            (Value::Number(one), Value::Number(other)) => one.as_f64() >= other.as_f64(),
            (Value::String(one), Value::String(other)) if *column == "cost_usd" => {
                one.parse::<f64>().unwrap() >= other.parse::<f64>().unwrap()
            }
            (one, other) => one.as_str() >= other.as_str(),
        };
        assert!(paged.windows(2).all(in_order), "seed {seed}: {path} by {column}: {paged:?}");
    }
    let wanted = ["assistant_spans_1h", "assistant_users_1h", "raw"];
    assert!(wanted.iter().all(|source| sources.contains(*source)), "{sources:?}");
}

#[tokio::test]
async fn a_grant_narrows_every_table() {
    let app = TestApp::start("assistants_granted").await;
    let mut random = fastrand::Rng::with_seed(1);
    let documents: Vec<Value> = (0..20).map(|index| Row::any(&mut random).document(index)).collect();
    app.store_spans(&documents).await;
    let mut claims = crate::support::claims("assistants_granted");
    claims.grants = [("profile_code".to_owned(), vec!["nobody".to_owned()])].into();
    for (table, _) in TABLES {
        let path = format!("/api/v1/assistants{table}?datetime_from=2026-03-27&datetime_to=2026-03-31");
        let response = app.request(&path).bearer_auth(sign(&claims)).send().await.unwrap();
        assert_eq!(json_of(response).await["page"]["total"], 0, "{table}");
        assert!(app.get(&path).await["page"]["total"].as_u64().unwrap() > 0, "{table}");
    }
}
