//! Service levels: what is reached of objectives, and how fast budgets burn.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::spans::Row;
use crate::support::{TestApp, Via, granted, sign, span, with};

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

async fn with_objectives(account: &str, objectives: &[&str]) -> TestApp {
    let rules = objectives.iter().map(|rule| rule.parse().unwrap()).collect();
    TestApp::start_with(account, Via::Pipe, |config| config.objectives.objectives = rules).await
}

/// A run of an assistant, with a call.
fn run(number: u64, start: DateTime<Utc>, assistant: &str, millis: u64, failed: bool, cost: f64) -> [Value; 2] {
    let agent =
        json!({"gen_ai.agent.name": assistant, "gen_ai.operation.name": "invoke_agent", "profile_code": "support"});
    let call = with(agent.clone(), json!({"gen_ai.operation.name": "chat", "gen_ai.usage.cost": cost}));
    let root = span(number, 0, start, millis, &agent);
    [with(root, json!({"status": {"code": if failed { 2 } else { 1 }}})), span(number, 1, start, millis / 2, &call)]
}

/// `assistant objective state value burn rates`, a line each.
fn told(answer: &Value) -> String {
    let line = |level: &Value| {
        let rates = level["burn_rates"].as_array().unwrap().iter();
        let rates: Vec<String> = rates
            .map(|rate| match rate["burn_rate"].as_f64() {
                Some(rate) => format!("{}", (rate * 100.0).round() / 100.0),
                None => "-".to_owned(),
            })
            .collect();
        let text = |name: &str| level[name].as_str().unwrap_or("-").to_owned();
        format!(
            "{} {} {} {} {}\n",
            text("assistant_code"),
            text("objective"),
            text("state"),
            level["value"],
            rates.join(" ")
        )
    };
    answer["items"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn a_budget_burns_by_what_happened_in_each_window() {
    let objectives = [
        "*:*:availability=0.9",
        "*:triage:latency=0.5@1000",
        "*:triage:cost_per_run=0.02",
        "*:quiet:availability=0.99",
    ];
    let app = with_objectives("slo_windows", &objectives).await;
    let now = at("2026-03-20T12:00:00Z");
    let mut spans = Vec::new();
    for number in 0..40_u64 {
        // Every four hours for days, then every minute; the last ones fail, are slow and dear.
        let back =
            if number < 30 { Duration::hours(4 * (30 - number as i64)) } else { Duration::minutes(40 - number as i64) };
        let is_bad = number >= 35;
        let (millis, cost) = if is_bad { (3_000, 0.05) } else { (500, 0.01) };
        spans.extend(run(number, now - back, "triage", millis, is_bad, cost));
    }
    app.store_spans(&spans).await;
    let answer = app.get("/api/v1/assistants/slo?at=2026-03-20T12:00:00Z").await;
    // In five minutes 5 runs, all bad; in six hours 11, in three days 28, in 30 days 40.
    insta::assert_snapshot!(told(&answer), @r#"
    triage availability ticket 0.875 10 5 5 4.55 1.79 1.25
    triage cost_per_run ok "0.015" 2.5 1.5 1.5 1.41 0.86 0.75
    triage latency ok 0.875 2 1 1 0.91 0.36 0.25
    quiet availability no_data null - - - - - -
    "#);
    let availability = &answer["items"][0];
    assert_eq!(availability["error_budget"]["spent"], 5);
    assert_eq!(answer["page"]["total"], 4);
    // An instant later the run of five minutes ago is out of the shortest window, and one of now would not be in any.
    let later = app.get("/api/v1/assistants/slo?at=2026-03-20T12:00:01Z&assistant_codes=triage").await;
    assert_eq!(later["items"][0]["burn_rates"][0]["denominator"], 4);
    let quiet = app.get("/api/v1/assistants/slo?at=2026-06-20&assistant_codes=quiet").await;
    assert_eq!((quiet["items"][0]["state"].as_str(), quiet["page"]["total"].as_u64()), (Some("no_data"), Some(1)));
    assert!(quiet["items"][0]["value"].is_null() && quiet["items"][0]["error_budget"].is_null());
    let nobody = app.get("/api/v1/assistants/slo?at=2026-06-20&assistant_codes=other").await;
    assert_eq!(nobody["items"], json!([]));
}

#[tokio::test]
async fn who_reads_a_part_is_told_of_that_part() {
    let app = with_objectives("slo_granted", &["*:*:availability=0.9", "*:quiet:availability=0.9"]).await;
    let now = at("2026-03-20T12:00:00Z");
    let mut spans = run(0, now - Duration::minutes(1), "triage", 10, false, 0.0).to_vec();
    let other = run(1, now - Duration::minutes(1), "answers", 10, true, 0.0);
    let sales = json!({"key": "profile_code", "value": {"stringValue": "sales"}});
    spans.extend(other.map(|mut span| {
        let attributes = span["attributes"].as_array_mut().unwrap();
        attributes.retain(|attribute| attribute["key"] != "profile_code");
        attributes.push(sales.clone());
        span
    }));
    app.store_spans(&spans).await;
    let token = sign(&granted(app.claims(), "profile_code", &["support"]));
    let path = "/api/v1/assistants/slo?at=2026-03-20T12:00:00Z";
    let answer = app.request(path).bearer_auth(token).send().await.unwrap().json::<Value>().await.unwrap();
    let codes: Vec<&Value> = answer["items"].as_array().unwrap().iter().map(|level| &level["assistant_code"]).collect();
    assert_eq!(codes, ["triage"]);
    assert_eq!(app.get(path).await["page"]["total"], 3);
    for (query, name) in [("at=yesterday", "at"), ("at=1999-01-01", "at"), ("range=7d", "range"), ("limit=0", "limit")]
    {
        let (status, body) = app.ask(&format!("/api/v1/assistants/slo?{query}")).await;
        assert_eq!((status.as_u16(), body["errors"][0]["parameter"].as_str()), (422, Some(name)), "{query}");
    }
}

#[tokio::test]
async fn levels_are_a_plain_count_of_runs_whatever_the_instant() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let objectives =
        ["*:*:availability=0.9", "*:*:latency=0.9@2500", "*:answers:latency=0.8@400", "*:triage:cost_per_run=0.01"];
    let app = with_objectives("slo_truth", &objectives).await;
    let rows: Vec<Row> = (0..2_000).map(|_| Row::any(&mut random)).collect();
    let documents: Vec<Value> = rows.iter().enumerate().map(|(index, row)| row.document(index)).collect();
    app.store_spans(&documents).await;
    for _ in 0..20 {
        let now = at("2026-03-28T20:00:00Z") + Duration::seconds(random.i64(0..3 * 86_400));
        let model = ["", "gpt-5"][random.usize(..2)];
        let filter = if model.is_empty() { String::new() } else { format!("&models={model}") };
        let path = format!("/api/v1/assistants/slo?at={}{filter}", now.format("%FT%TZ"));
        let answer = app.get(&path).await;
        for level in answer["items"].as_array().unwrap() {
            let assistant = level["assistant_code"].as_str().unwrap_or_default();
            let objective = level["objective"].as_str().unwrap();
            let minutes = [5, 30, 60, 360, 4_320, 43_200];
            for (rate, minutes) in level["burn_rates"].as_array().unwrap().iter().zip(minutes) {
                let from = now - Duration::minutes(minutes);
                let is_in = |row: &&Row| from <= row.start && row.start < now && row.assistant == assistant;
                let is_asked = |row: &&Row| model.is_empty() || row.model == model;
                let rows: Vec<&Row> = rows.iter().filter(is_in).filter(is_asked).collect();
                let runs: Vec<&&Row> = rows.iter().filter(|row| row.is_root).collect();
                let ended: Vec<u64> = runs.iter().filter_map(|row| row.millis).collect();
                let threshold = if assistant == "answers" { 400 } else { 2_500 };
                let (spent, of) = match objective {
                    "availability" => (runs.iter().filter(|row| row.is_failed()).count() as f64, runs.len()),
                    "latency" => (ended.iter().filter(|millis| **millis > threshold).count() as f64, ended.len()),
                    _ => (rows.iter().filter(|row| row.is_call()).map(|row| row.cost).sum::<u64>() as f64, runs.len()),
                };
                let shown = &rate["numerator"];
                let shown = shown.as_f64().unwrap_or_else(|| shown.as_str().unwrap().parse::<f64>().unwrap() * 1e6);
                assert!(
                    (shown - spent).abs() < 1e-6,
                    "seed {seed}: {path} {assistant} {objective} {minutes}: {shown} {spent}"
                );
                assert_eq!(rate["denominator"], of, "seed {seed}: {path} {assistant} {objective} {minutes}");
            }
        }
    }
}
