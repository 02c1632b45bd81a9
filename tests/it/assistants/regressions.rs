//! Regressions: a version that is worse is found with its reasons, and one that is not is not.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::spans::Row;
use crate::support::{TestApp, quantile, span, with};

const FEBRUARY: &str = "datetime_from=2026-02-01&datetime_to=2026-02-28";

/// What a version is like.
#[derive(Clone, Copy)]
struct Version {
    name: &'static str,
    /// One of so many runs fails.
    fails: usize,
    error: &'static str,
    millis: u64,
    /// Calls of each run.
    calls: u64,
}

/// Runs of a version, one after the other, each a little different.
fn runs(assistant: &'static str, version: Version, count: usize, first: usize) -> Vec<Value> {
    let start: DateTime<Utc> = "2026-02-02T00:00:00Z".parse().unwrap();
    let mut random = fastrand::Rng::with_seed(first as u64);
    let mut spans = Vec::new();
    for number in first..first + count {
        let start = start + Duration::minutes(20 * (number - first) as i64);
        let agent = json!({
            "gen_ai.agent.name": assistant, "gen_ai.agent.version": version.name, "deployment.environment.name": "production",
        });
        let failed = if number % version.fails == 0 { json!({"error.type": version.error}) } else { json!({}) };
        let run = with(with(agent.clone(), json!({"gen_ai.operation.name": "invoke_agent"})), failed);
        spans.push(span(number as u64, 0, start, version.millis + random.u64(..version.millis), &run));
        for call in 0..version.calls {
            let used = json!({
                "gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-5", "gen_ai.usage.input_tokens": 900 + random.i64(..200),
                "gen_ai.usage.output_tokens": 100, "gen_ai.usage.cost": 0.002,
            });
            spans.push(span(number as u64, 1 + call, start, 100 + random.u64(..50), &with(agent.clone(), used)));
        }
    }
    spans
}

const KNOWN: Version = Version { name: "1.0", fails: 50, error: "timeout", millis: 1_000, calls: 2 };

async fn store(app: &TestApp, parts: &[Vec<Value>]) {
    for part in parts.iter().flat_map(|spans| spans.chunks(1_000)) {
        app.store_spans(part).await;
    }
}

fn verdict(answer: &Value) -> String {
    let reasons: Vec<&str> =
        answer["verdict"]["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap()).collect();
    format!("{}: {}", answer["verdict"]["code"].as_str().unwrap(), reasons.join(" "))
}

#[tokio::test]
async fn a_version_that_is_worse_is_found_with_what_is_worse_about_it() {
    let app = TestApp::start("regressions_found").await;
    let broken = Version { name: "1.1", fails: 8, error: "context_length_exceeded", millis: 1_600, calls: 3 };
    let same = Version { name: "1.1", ..KNOWN };
    store(
        &app,
        &[runs("triage", KNOWN, 800, 0), runs("triage", broken, 600, 1_000), runs("answers", KNOWN, 500, 2_000)],
    )
    .await;
    store(&app, &[runs("answers", same, 500, 3_000)]).await;
    let path = format!("/api/v1/assistants/regressions?{FEBRUARY}&baseline=1.0&candidate=1.1");
    let answer = app.get(&path).await;
    assert_eq!(
        verdict(&answer),
        "regressed: error_rate_up latency_p50_up latency_p95_up cost_up tokens_up new_error_types"
    );
    let cells = answer["cells"].as_array().unwrap();
    let of = |assistant: &str| -> Vec<String> {
        let is_of = |cell: &&Value| cell["assistant_code"] == assistant;
        let told = |cell: &Value| format!("{} {}", cell["metric"].as_str().unwrap(), cell["verdict"].as_str().unwrap());
        cells.iter().filter(is_of).map(told).collect()
    };
    let worse = ["error_rate worse", "latency_p50 worse", "latency_p95 worse", "cost worse", "tokens worse"];
    assert_eq!(of("triage"), worse);
    assert_eq!(of("answers"), worse.map(|cell| cell.replace("worse", "same")));
    let cost = cells.iter().find(|cell| cell["assistant_code"] == "triage" && cell["metric"] == "cost").unwrap();
    assert!((cost["baseline"]["value"].as_f64().unwrap() - 0.004).abs() < 1e-12, "{cost}");
    assert!((cost["relative"].as_f64().unwrap() - 0.5).abs() < 1e-9, "{cost}");
    let risen = &answer["errors"][0];
    assert_eq!(
        (risen["error_type"].as_str(), risen["is_new"].as_bool()),
        (Some("context_length_exceeded"), Some(true))
    );
    assert_eq!(
        (risen["candidate"]["numerator"].as_u64(), risen["candidate"]["units"].as_u64()),
        (Some(75), Some(1_100))
    );

    let mix = answer["mix"].as_array().unwrap().iter().find(|mix| mix["dimension"] == "assistant").unwrap();
    assert!((mix["distance"].as_f64().unwrap() - (800.0 / 1_300.0 - 600.0 / 1_100.0)).abs() < 1e-9, "{mix}");
    assert_eq!(mix["is_shifted"], false);

    let other_way = app.get(&format!("/api/v1/assistants/regressions?{FEBRUARY}&baseline=1.1&candidate=1.0")).await;
    assert!(verdict(&other_way).starts_with("improved: error_rate_down"), "{}", verdict(&other_way));
    let answers = app.get(&format!("{path}&assistant_codes=answers")).await;
    assert_eq!(verdict(&answers), "no_difference: no_significant_difference");
    let csv = app.request(&path).header("accept", "text/csv").bearer_auth(app.token()).send().await.unwrap();
    assert_eq!(csv.text().await.unwrap().lines().count(), 16);
}

#[tokio::test]
async fn without_runs_of_one_side_there_is_no_verdict_but_a_reason() {
    let app = TestApp::start("regressions_no_data").await;
    let path = |query: &str| format!("/api/v1/assistants/regressions?{FEBRUARY}&{query}");
    let nothing = app.get(&path("baseline=0.9&candidate=1.0")).await;
    assert_eq!(verdict(&nothing), "no_data: baseline_without_data candidate_without_data");
    store(&app, &[runs("triage", KNOWN, 5, 0)]).await;
    let no_baseline = app.get(&path("baseline=0.9&candidate=1.0")).await;
    assert_eq!(verdict(&no_baseline), "no_data: baseline_without_data");
    let rate = &no_baseline["cells"][0];
    assert_eq!((rate["candidate"]["units"].as_u64(), rate["baseline"]["value"].is_null()), (Some(5), true));
    assert!(rate["p_value"].is_null() && rate["absolute"].is_null() && rate["verdict"] == "unknown", "{rate}");
    let no_candidate = app.get(&path("baseline=1.0&candidate=1.1")).await;
    assert_eq!(verdict(&no_candidate), "no_data: candidate_without_data");
    store(&app, &[runs("triage", Version { name: "1.1", ..KNOWN }, 1, 100)]).await;
    let few = app.get(&path("baseline=1.0&candidate=1.1")).await;
    assert_eq!(verdict(&few), "no_difference: no_significant_difference small_sample");
    for (query, name, detail) in [
        ("candidate=1.1", "baseline", "is missing"),
        ("baseline=1.0&candidate=", "candidate", "is missing"),
        ("baseline=1.0&candidate=1.0", "candidate", "is the same as `baseline`"),
        ("baseline=1.0&candidate=1.1&alpha=0", "alpha", "`0` is not a number from 0.0001 to 0.5"),
        ("baseline=1.0&candidate=1.1&dimension=provider", "dimension", "`provider` is not one of the allowed values"),
    ] {
        let (status, body) = app.ask(&path(query)).await;
        let error = &body["errors"][0];
        assert_eq!(
            (status.as_u16(), error["parameter"].as_str(), error["detail"].as_str()),
            (422, Some(name), Some(detail)),
            "{query}"
        );
    }
}

/// What one side is, told once more: a name, and its runs or calls.
struct Side<'a> {
    units: Vec<&'a Row>,
}

impl Side<'_> {
    fn failed(&self) -> usize {
        self.units.iter().filter(|row| row.is_failed()).count()
    }

    fn quantile(&self, of: impl Fn(&Row) -> Option<f64>, level: f64) -> Option<f64> {
        let mut values: Vec<f64> = self.units.iter().filter_map(|row| of(row)).collect();
        (!values.is_empty()).then(|| quantile(&mut values, level.clamp(0.0, 1.0)))
    }
}

fn close(shown: &Value, wanted: Option<f64>) -> bool {
    match (shown.as_f64(), wanted) {
        (Some(shown), Some(wanted)) => (shown - wanted).abs() <= 1e-9 * wanted.abs().max(1.0),
        (shown, wanted) => shown.is_none() && wanted.is_none(),
    }
}

#[tokio::test]
async fn both_sides_are_a_plain_count_of_their_spans() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("regressions_truth").await;
    let rows: Vec<Row> = (0..3_000).map(|_| Row::any(&mut random)).collect();
    let documents: Vec<Value> = rows.iter().enumerate().map(|(index, row)| row.document(index)).collect();
    for part in documents.chunks(1_000) {
        app.store_spans(part).await;
    }
    for (dimension, arms) in [("assistant_version", ["1.0", "1.1"]), ("model", ["gpt-5", "claude-sonnet-5"])] {
        let is_model = dimension == "model";
        let path = format!(
            "/api/v1/assistants/regressions?datetime_from=2026-03-27&datetime_to=2026-03-31&dimension={dimension}&baseline={}&candidate={}",
            arms[0], arms[1]
        );
        let answer = app.get(&path).await;
        let mut seen = BTreeMap::new();
        for cell in answer["cells"].as_array().unwrap() {
            let (metric, is_all) = (cell["metric"].as_str().unwrap(), cell["is_all"] == true);
            *seen.entry(metric).or_insert(0) += 1;
            for (arm, side) in arms.iter().zip(["baseline", "candidate"]) {
                let is_unit = |row: &&Row| {
                    let variant = if is_model { row.model } else { row.version };
                    let is_of = is_all || row.assistant == cell["assistant_code"].as_str().unwrap_or_default();
                    variant == *arm && is_of && if is_model { row.is_call() } else { row.is_root }
                };
                let units = Side { units: rows.iter().filter(is_unit).collect() };
                let shown = &cell[side];
                let millis = |row: &Row| row.millis.map(|millis| millis as f64);
                let wait = |row: &Row| row.first_token_millis.map(f64::from);
                // Every trace of these rows has one span, so a run is its own calls.
                let means = |of: &dyn Fn(&Row) -> f64| {
                    units.units.iter().map(|row| of(row)).sum::<f64>() / units.units.len() as f64
                };
                let of_call = |row: &Row, value: u64| if row.is_call() { value as f64 } else { 0.0 };
                let (size, wanted) = match metric {
                    "error_rate" => (units.units.len(), Some(units.failed() as f64 / units.units.len() as f64)),
                    "latency_p50" => {
                        (units.units.iter().filter(|row| row.millis.is_some()).count(), units.quantile(millis, 0.5))
                    }
                    "latency_p95" => {
                        (units.units.iter().filter(|row| row.millis.is_some()).count(), units.quantile(millis, 0.95))
                    }
                    "first_token_p95" => {
                        (units.units.iter().filter(|row| wait(row).is_some()).count(), units.quantile(wait, 0.95))
                    }
                    "cost" => (units.units.len(), Some(means(&|row| of_call(row, row.cost) / 1e6))),
                    _ => (units.units.len(), Some(means(&|row| of_call(row, row.input + row.output)))),
                };
                assert_eq!(shown["units"], size, "seed {seed}: {cell}");
                assert!(close(&shown["value"], wanted), "seed {seed}: {wanted:?} {cell}");
                if metric == "latency_p95" {
                    let half = 1.959_963_984_540_054 * (0.95 * 0.05 / size as f64).sqrt();
                    let [low, high] = [0.95 - half, 0.95 + half].map(|level| units.quantile(millis, level));
                    assert!(
                        close(&shown["interval"][0], low) && close(&shown["interval"][1], high),
                        "seed {seed}: {cell}"
                    );
                }
                if metric == "tokens" {
                    let mean = wanted.unwrap();
                    let square = |row: &Row| (of_call(row, row.input + row.output) - mean).powi(2);
                    let variance = units.units.iter().map(|row| square(row)).sum::<f64>() / (size - 1) as f64;
                    let half = (shown["interval"][1].as_f64().unwrap() - mean) / (variance / size as f64).sqrt();
                    // Student's quantile is a little above that of the normal distribution.
                    assert!((1.959..2.02).contains(&half), "seed {seed}: {half} {cell}");
                }
            }
        }
        let metrics = if is_model { 6 } else { 5 };
        assert!(seen.len() == metrics && seen.values().all(|count| *count == 4), "{seen:?}");
        let p_values: Vec<f64> =
            answer["cells"].as_array().unwrap().iter().filter_map(|cell| cell["p_value_adjusted"].as_f64()).collect();
        assert_eq!(p_values.len(), 4 * metrics);
    }
}
