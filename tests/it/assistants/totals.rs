//! Totals of assistants: a plain count, whatever they are read from, beside the same of the period before.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::spans::Row;
use crate::support::{TestApp, quantile};

/// The cards of a page, told once more in Rust.
fn expected(rows: &[&Row]) -> BTreeMap<&'static str, Value> {
    let count = |is_counted: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| is_counted(row)).count() as u64;
    let sum = |value: fn(&Row) -> u64| -> u64 { rows.iter().filter(|row| row.is_call()).map(|row| value(row)).sum() };
    let runs = count(&|row| row.is_root);
    let tool_calls = count(&Row::is_tool_call);
    let ratio = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let mut millis: Vec<f64> =
        rows.iter().filter(|row| row.is_root).filter_map(|row| row.millis).map(|millis| millis as f64).collect();
    let mut latency = |level: f64| (!millis.is_empty()).then(|| quantile(&mut millis, level));
    let dollars = |billionths: u64| {
        let decimal = format!("{}.{:09}", billionths / 1_000_000_000, billionths % 1_000_000_000);
        decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let cost = sum(|row| row.cost) * 1_000;
    let priced = count(&|row| row.is_call() && row.is_priced);
    let is_known = priced > 0 || count(&Row::is_call) == 0;
    let conversations: BTreeSet<&String> =
        rows.iter().map(|row| &row.conversation).filter(|id| !id.is_empty()).collect();
    [
        ("runs", json!(runs)),
        ("error_rate", json!(ratio(count(&|row| row.is_root && row.is_failed()), runs))),
        ("latency_p50", json!(latency(0.5))),
        ("latency_p95", json!(latency(0.95))),
        ("conversations", json!(conversations.len())),
        ("calls", json!(count(&Row::is_call))),
        ("tool_calls", json!(tool_calls)),
        ("tool_success_rate", json!(ratio(count(&|row| row.is_tool_call() && !row.is_failed()), tool_calls))),
        ("input_tokens", json!(sum(|row| row.input))),
        ("output_tokens", json!(sum(|row| row.output))),
        ("cost", json!(is_known.then(|| dollars(cost)))),
        ("cost_per_run", json!((runs > 0 && is_known).then(|| dollars((cost + runs / 2) / runs)))),
        ("runs_without_end", json!(count(&|row| row.is_root && row.millis.is_none()))),
        ("calls_without_model", json!(0)),
        ("calls_without_cost", json!(count(&Row::is_call) - priced)),
    ]
    .into()
}

fn is_close(shown: &Value, wanted: &Value) -> bool {
    match (shown.as_f64(), wanted.as_f64()) {
        (Some(shown), Some(wanted)) => (shown - wanted).abs() <= 1e-6,
        _ => shown == wanted,
    }
}

#[tokio::test]
async fn totals_are_plain_counts_whatever_they_are_read_from() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("assistants_totals").await;
    let rows: Vec<Row> = (0..2_000).map(|_| Row::any_priced_or_not(&mut random)).collect();
    let documents: Vec<Value> = rows.iter().enumerate().map(|(index, row)| row.document(index)).collect();
    app.store_spans(&documents).await;
    let mut sources = BTreeSet::new();
    for _ in 0..20 {
        let grain = [1, 900, 3_600][random.usize(..3)];
        let first = "2026-03-27T20:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let from = first + Duration::seconds(random.i64(-3_600..2 * 86_400) / grain * grain);
        let length = Duration::seconds((random.i64(1..86_400) / grain).max(1) * grain);
        let shown = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let model = ["", "unknown"][random.usize(..2)];
        let filter = if model.is_empty() { "" } else { "&filter=model:eq:unknown" };
        let path = format!(
            "/api/v1/assistants/totals?datetime_from={}&datetime_to={}&assistant_codes=triage{filter}",
            shown(from),
            shown(from + length)
        );
        let is_asked = |row: &&Row| row.assistant == "triage" && (model.is_empty() || row.model == model);
        let within = |from: DateTime<Utc>, to: DateTime<Utc>| -> Vec<&Row> {
            rows.iter().filter(is_asked).filter(|row| from <= row.start && row.start < to).collect()
        };
        let (current, earlier) = (expected(&within(from, from + length)), expected(&within(from - length, from)));
        for path in [format!("{path}&verify=true"), format!("{path}&filter=name:eq:step")] {
            let answer = app.get(&path).await;
            if path.contains("verify") {
                let verification = &answer["meta"]["verification"];
                assert_eq!((&verification["source"], &verification["different"]), (&json!("raw"), &json!(0)), "{path}");
            }
            sources.insert(answer["meta"]["source"].as_str().unwrap().to_owned());
            let cards = answer["totals"].as_array().unwrap();
            assert_eq!(cards.len(), current.len());
            for card in cards {
                let id = card["id"].as_str().unwrap();
                for (field, wanted) in [("value", &current[id]), ("previous", &earlier[id])] {
                    assert!(is_close(&card[field], wanted), "seed {seed}: {path} {field} of {card}: not {wanted}");
                }
            }
        }
    }
    assert!(sources.contains("assistant_spans_1h") && sources.contains("raw"), "{sources:?}");
}

#[tokio::test]
async fn without_a_run_nothing_is_known_of_runs() {
    let app = TestApp::start("assistants_no_totals").await;
    let answer = app.get("/api/v1/assistants/totals?datetime_from=2026-02-02&datetime_to=2026-02-02").await;
    let values: BTreeMap<&str, &Value> = answer["totals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|card| (card["id"].as_str().unwrap(), &card["value"]))
        .collect();
    for (id, value) in [("runs", json!(0)), ("cost", json!("0"))] {
        assert_eq!(*values[id], value);
    }
    for id in ["error_rate", "latency_p50", "latency_p95", "tool_success_rate", "cost_per_run"] {
        assert!(values[id].is_null(), "{id}: {}", values[id]);
    }
}
