//! Anomalies: a day that is unlike such days before is found, explained, and no other.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::support::{TestApp, quantile, span, with};

/// A run with one call.
struct Run {
    start: DateTime<Utc>,
    assistant: &'static str,
    millis: u64,
    failed: bool,
    /// Thousandths of a US dollar.
    cost: u64,
}

impl Run {
    fn documents(&self, number: usize) -> [Value; 2] {
        let agent = json!({"gen_ai.agent.name": self.assistant, "gen_ai.operation.name": "invoke_agent"});
        let call = json!({"gen_ai.operation.name": "chat", "gen_ai.usage.cost": self.cost as f64 / 1e3});
        let root = span(number as u64, 0, self.start, self.millis, &agent);
        let root = with(root, json!({"status": {"code": if self.failed { 2 } else { 1 }}}));
        [root, span(number as u64, 1, self.start, 1, &with(agent, call))]
    }
}

/// Seven weeks and a bit from a Monday on: quiet weekends, and every day a little different.
fn runs(random: &mut fastrand::Rng) -> Vec<Run> {
    let monday: DateTime<Utc> = "2026-02-02T00:00:00Z".parse().unwrap();
    let mut runs = Vec::new();
    for day in 0..56 {
        let usual = if day % 7 < 5 { 20 } else { 6 };
        for _ in 0..usual + random.u64(..3) {
            runs.push(Run {
                start: monday + Duration::days(day) + Duration::seconds(random.i64(0..86_400)),
                assistant: ["triage", "answers"][random.usize(..2)],
                millis: random.u64(500..1_500),
                failed: random.u8(..20) == 0,
                cost: random.u64(8..12),
            });
        }
    }
    runs
}

async fn store(app: &TestApp, runs: &[Run]) {
    let documents: Vec<Value> = runs.iter().enumerate().flat_map(|(number, run)| run.documents(number)).collect();
    for part in documents.chunks(1_000) {
        app.store_spans(part).await;
    }
}

const WEEK: &str = "datetime_from=2026-03-23&datetime_to=2026-03-29";

#[tokio::test]
async fn the_day_of_a_loop_and_the_day_of_an_outage_are_found_and_explained() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut runs = runs(&mut random);
    let on = |run: &Run, day: &str| run.start.to_rfc3339().starts_with(day);
    // A loop of one assistant on a Tuesday; an outage on the Saturday after it.
    runs.iter_mut().filter(|run| on(run, "2026-03-24") && run.assistant == "triage").for_each(|run| run.cost = 90);
    runs.iter_mut().filter(|run| on(run, "2026-03-28")).for_each(|run| run.failed = true);
    let app = TestApp::start("anomalies_found").await;
    store(&app, &runs).await;
    let answer = app.get(&format!("/api/v1/assistants/anomalies?{WEEK}")).await;
    let found = |answer: &Value| -> Vec<String> {
        let text = |item: &Value, name: &str| item[name].as_str().unwrap_or("all").to_owned();
        let items = answer["items"].as_array().unwrap().iter();
        items.map(|item| ["day", "metric", "group", "direction"].map(|name| text(item, name)).join(" ")).collect()
    };
    assert_eq!(found(&answer), ["2026-03-24 cost all above", "2026-03-28 error_rate all above"]);
    let loops = &answer["items"][0];
    assert_eq!((loops["basis"].as_str(), loops["baseline_days"].as_u64()), (Some("weekday"), Some(6)));
    let explained = loops["explanation"].as_str().unwrap();
    assert!(explained.contains("was expected, the median of 6 Tuesdays. That is "), "{explained}");
    let split = app.get(&format!("/api/v1/assistants/anomalies?{WEEK}&split_by=assistant&min_score=5")).await;
    assert_eq!(found(&split)[0], "2026-03-24 cost triage above");
    assert!(found(&split).iter().all(|item| !item.contains("cost answers")), "{:?}", found(&split));
    let page = app.get(&format!("/api/v1/assistants/anomalies?{WEEK}&limit=1&offset=1")).await;
    assert_eq!((found(&page).len(), page["page"]["total"].as_u64()), (1, Some(2)));
    let csv = app.request(&format!("/api/v1/assistants/anomalies?{WEEK}")).header("accept", "text/csv");
    let csv = csv.bearer_auth(app.token()).send().await.unwrap().text().await.unwrap();
    assert!(csv.starts_with("day,metric,group,unit,") && csv.lines().count() == 3, "{csv}");
}

#[tokio::test]
async fn days_that_are_not_over_or_have_nothing_before_them_are_not_scored() {
    let app = TestApp::start("anomalies_none").await;
    let today = app.ask("/api/v1/assistants/anomalies?range=today").await;
    assert_eq!((today.0.as_u16(), today.1["errors"][0]["parameter"].as_str()), (422, Some("range")));
    for (query, name) in [
        ("min_score=much", "min_score"),
        ("min_score=-1", "min_score"),
        ("split_by=day", "split_by"),
        ("datetime_from=2024-01-01&datetime_to=2025-12-31", "range"),
        ("datetime_from=2000-01-01&datetime_to=2000-02-01", "datetime_from"),
    ] {
        let (status, body) = app.ask(&format!("/api/v1/assistants/anomalies?{query}")).await;
        assert_eq!((status.as_u16(), body["errors"][0]["parameter"].as_str()), (422, Some(name)), "{query}");
    }
    assert_eq!(app.get("/api/v1/assistants/anomalies?min_score=0").await["items"], json!([]));
    store(&app, &runs(&mut fastrand::Rng::with_seed(1))).await;
    let first_week = "datetime_from=2026-02-02&datetime_to=2026-02-08";
    let early = app.get(&format!("/api/v1/assistants/anomalies?{first_week}&min_score=0")).await;
    assert_eq!(early["items"], json!([]));
    let notes = early["meta"]["notes"].to_string();
    assert!(notes.contains("28 values could not be scored"), "{notes}");
}

/// Every score once more, told otherwise: over maps of days, with sorted lists.
#[tokio::test]
async fn scores_are_those_of_a_plain_count() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let runs = runs(&mut random);
    let app = TestApp::start("anomalies_truth").await;
    store(&app, &runs).await;
    for zone in ["UTC", "Asia/Kathmandu", "America/New_York"] {
        let zone: Tz = zone.parse().unwrap();
        let mut days: BTreeMap<NaiveDate, Vec<&Run>> = BTreeMap::new();
        for run in &runs {
            days.entry(run.start.with_timezone(&zone).date_naive()).or_default().push(run);
        }
        let path = format!("/api/v1/assistants/anomalies?{WEEK}&timezone={zone}&min_score=0&limit=1000");
        let answer = app.get(&path).await;
        let items = answer["items"].as_array().unwrap();
        assert_eq!(items.len(), 7 * 4, "seed {seed} {zone}");
        for item in items {
            let day: NaiveDate = item["day"].as_str().unwrap().parse().unwrap();
            let metric = item["metric"].as_str().unwrap();
            let value = |day: &NaiveDate| {
                let runs = &days[day];
                let count = runs.len() as f64;
                match metric {
                    "runs" => count,
                    "error_rate" => runs.iter().filter(|run| run.failed).count() as f64 / count,
                    "cost" => runs.iter().map(|run| run.cost).sum::<u64>() as f64 / 1e3,
                    _ => quantile(&mut runs.iter().map(|run| run.millis as f64).collect::<Vec<_>>(), 0.95),
                }
            };
            // Latencies of 49 days come from bins, which are within 1 %.
            let close = |one: f64, other: f64| {
                let most = if metric == "latency_p95" { 0.02 * other.abs().max(1.0) } else { 1e-6 };
                (one - other).abs() <= most
            };
            let middle = |mut values: Vec<f64>| quantile(&mut values, 0.5);
            let before: Vec<NaiveDate> =
                days.keys().copied().filter(|other| *other < day && day - *other <= Duration::days(42)).collect();
            let of_weekday = |day: &NaiveDate| {
                middle(before.iter().filter(|other| other.weekday() == day.weekday()).map(value).collect())
            };
            let expected = of_weekday(&day);
            assert!(close(item["expected"].as_f64().unwrap(), expected), "seed {seed} {zone} {item}");
            assert!(close(item["seen"].as_f64().unwrap(), value(&day)), "seed {seed} {zone} {item}");
            if metric == "latency_p95" {
                continue;
            }
            let unit = |expected: f64| if metric == "error_rate" { 1.0 } else { expected };
            let residuals: Vec<f64> =
                before.iter().map(|day| (value(day) - of_weekday(day)) / unit(of_weekday(day))).collect();
            let centre = middle(residuals.clone());
            let spread =
                1.482_602_218_505_602 * middle(residuals.iter().map(|residual| (residual - centre).abs()).collect());
            let usual = middle(before.iter().map(|day| days[day].len() as f64).collect());
            let least = match metric {
                "error_rate" => {
                    let runs = days[&day].len() as f64;
                    (expected * (1.0 - expected) / runs).sqrt().max(1.0 / runs).max(0.001)
                }
                _ => (1.0 / usual.sqrt()).max(0.1),
            };
            let score = (value(&day) - expected) / (spread.max(least) * unit(expected));
            assert!(close(item["score"].as_f64().unwrap(), score), "seed {seed} {zone} {item}: {score}");
        }
    }
}
