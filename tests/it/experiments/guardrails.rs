//! Guardrails are a plain computation over the spans of exposed conversations.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::support::{TestApp, quantile, span};

struct Exposure {
    visitor: u64,
    conversation: u64,
    variant: &'static str,
    at: DateTime<Utc>,
}

struct Span {
    conversation: u64,
    at: DateTime<Utc>,
    is_run: bool,
    is_failed: bool,
    millis: u64,
    tokens: u64,
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn start() -> DateTime<Utc> {
    "2026-02-01T00:00:00Z".parse().unwrap()
}

/// What a unit used: runs, failed runs, durations, tokens, conversations.
#[derive(Default)]
struct Used {
    runs: f64,
    failed: f64,
    durations: Vec<f64>,
    tokens: f64,
    conversations: BTreeSet<u64>,
}

/// Everything by unit, from the definitions: the first exposure of a unit gives its variant, the first exposure in a
/// conversation the unit that it is of.
fn computed(
    exposures: &[Exposure],
    spans: &[Span],
    keeps_multiple: bool,
    window: Duration,
) -> BTreeMap<&'static str, Vec<Used>> {
    let mut first: HashMap<u64, (DateTime<Utc>, &'static str)> = HashMap::new();
    let mut variants: HashMap<u64, BTreeSet<&str>> = HashMap::new();
    let mut owners: HashMap<u64, (DateTime<Utc>, u64)> = HashMap::new();
    for exposure in exposures {
        let now = (exposure.at, exposure.variant);
        let known = first.entry(exposure.visitor).or_insert(now);
        *known = (*known).min(now);
        variants.entry(exposure.visitor).or_default().insert(exposure.variant);
        let owner = owners.entry(exposure.conversation).or_insert((exposure.at, exposure.visitor));
        *owner = (*owner).min((exposure.at, exposure.visitor));
    }
    let mut units: HashMap<u64, Used> = HashMap::new();
    for span in spans {
        let Some((exposed, visitor)) = owners.get(&span.conversation) else { continue };
        let (from, to) = (*exposed - Duration::minutes(1), *exposed + window);
        if span.at < from || span.at >= to || (variants[visitor].len() > 1 && !keeps_multiple) {
            continue;
        }
        let used = units.entry(*visitor).or_default();
        used.conversations.insert(span.conversation);
        if span.is_run {
            used.runs += 1.0;
            used.failed += f64::from(u8::from(span.is_failed));
            used.durations.push(span.millis as f64);
        }
        used.tokens += span.tokens as f64;
    }
    let mut arms: BTreeMap<&'static str, Vec<Used>> = BTreeMap::new();
    for (visitor, used) in units {
        arms.entry(first[&visitor].1).or_default().push(used);
    }
    arms
}

#[tokio::test]
async fn they_are_a_plain_computation_over_spans_of_exposed_conversations() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("experiments_guardrails").await;
    let exposures: Vec<Exposure> = (0..600)
        .map(|_| {
            let visitor = random.u64(..250);
            let variant = if random.u8(..40) == 0 { "C" } else { ["A", "B"][(visitor % 2) as usize] };
            // Two visitors may share a conversation.
            let conversation = visitor / 2 * 3 + random.u64(..3);
            Exposure { visitor, conversation, variant, at: start() + Duration::seconds(random.i64(0..3 * 86_400)) }
        })
        .collect();
    let spans: Vec<Span> = (0..3_000)
        .map(|_| {
            let conversation = random.u64(..420);
            let is_run = random.bool();
            Span {
                conversation,
                at: start() + Duration::seconds(random.i64(0..5 * 86_400)),
                is_run,
                is_failed: random.u8(..10) == 0,
                millis: random.u64(1..4_000),
                tokens: if is_run { 0 } else { random.u64(..900) },
            }
        })
        .collect();
    let told: Vec<Value> = exposures
        .iter()
        .map(|of| {
            json!({"event": "exposure", "time_utc": shown(of.at), "visitor_id": format!("visitor-{}", of.visitor),
                "conversation_id": format!("conversation-{}", of.conversation),
                "data": {"experiment_id": "slower", "variant": of.variant}})
        })
        .collect();
    app.store(&told).await;
    let documents: Vec<Value> = spans
        .iter()
        .enumerate()
        .map(|(index, of)| {
            let operation = if of.is_run { "invoke_agent" } else { "chat" };
            let mut document = span(
                index as u64,
                u64::from(!of.is_run),
                of.at,
                of.millis,
                &json!({
                    "gen_ai.operation.name": operation,
                    "gen_ai.conversation.id": format!("conversation-{}", of.conversation),
                    "gen_ai.usage.input_tokens": of.tokens / 3,
                    "gen_ai.usage.output_tokens": of.tokens - of.tokens / 3,
                }),
            );
            if of.is_failed {
                document["status"] = json!({"code": 2});
            }
            document
        })
        .collect();
    app.store_spans(&documents).await;

    for (handling, keeps_multiple) in [("exclude", false), ("first", true)] {
        for (window, length) in [("14d", Duration::days(14)), ("12h", Duration::hours(12))] {
            let path = format!(
                "/api/v1/experiments/slower/guardrails?datetime_from=2026-02-01&datetime_to=2026-02-28&multiple_exposures={handling}&conversion_window={window}&test=fixed"
            );
            let answer = app.get(&path).await;
            let arms = computed(&exposures, &spans, keeps_multiple, length);
            let durations = |variant: &str| -> Vec<f64> {
                arms.get(variant).into_iter().flatten().flat_map(|used| used.durations.clone()).collect()
            };
            let slow_from = quantile(&mut durations("A"), 0.95);
            for of in answer["latency"].as_array().unwrap() {
                let mut durations = durations(of["variant"].as_str().unwrap());
                assert_eq!(of["runs"], durations.len(), "seed {seed}: {path} {answer}");
                if !durations.is_empty() {
                    let (p95, wanted) = (of["p95_ms"].as_f64().unwrap(), quantile(&mut durations, 0.95));
                    assert!((p95 - wanted).abs() < 1e-6, "seed {seed}: {path}: {p95} {wanted}");
                }
            }
            let slow = |used: &Used| used.durations.iter().filter(|duration| **duration > slow_from).count() as f64;
            for metric in answer["metrics"].as_array().unwrap() {
                let id = metric["id"].as_str().unwrap();
                for variant in metric["variants"].as_array().unwrap() {
                    let name = variant["variant"].as_str().unwrap();
                    let none = Vec::new();
                    let units = arms.get(name).unwrap_or(&none);
                    let pairs: Vec<(f64, f64)> = units
                        .iter()
                        .map(|used| match id {
                            "error_rate" => (used.failed, used.runs),
                            "slow_runs" => (slow(used), used.durations.len() as f64),
                            "tokens" => (used.tokens, used.conversations.len() as f64),
                            _ => (0.0, used.conversations.len() as f64),
                        })
                        .collect();
                    let (y, d) = pairs.iter().fold((0.0, 0.0), |(y, d), of| (y + of.0, d + of.1));
                    let what = format!("seed {seed}: {path}: {id} of {name}: {variant}");
                    assert_eq!(variant["units"], units.len(), "{what}");
                    let close = |shown: &Value, wanted: f64| {
                        let shown = shown.as_f64().unwrap();
                        assert!((shown - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{what}: {shown} {wanted}");
                    };
                    close(&variant["numerator"], y);
                    close(&variant["denominator"], d);
                    if d > 0.0 {
                        close(&variant["value"], y / d);
                    }
                    // The interval of a ratio: by the delta method, of units.
                    if units.len() > 30 && d > 0.0 && y > 0.0 {
                        let (n, ratio) = (pairs.len() as f64, y / d);
                        let residuals: f64 = pairs.iter().map(|of| (of.0 - ratio * of.1).powi(2)).sum();
                        let error = (residuals / (n - 1.0) / n).sqrt() / (d / n);
                        let interval = &variant["interval"];
                        let half = (interval[1].as_f64().unwrap() - interval[0].as_f64().unwrap()) / 2.0;
                        assert!((half / error / 1.99 - 1.0).abs() < 0.03, "{what}: {half} {error}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_variant_that_is_slower_and_dearer_is_reason_to_stop() {
    let app = TestApp::start("experiments_guardrails_harm").await;
    let (mut events, mut spans) = (Vec::new(), Vec::new());
    let mut random = fastrand::Rng::with_seed(3);
    for visitor in 0..400_u64 {
        let variant = ["A", "B", "C"][(visitor % 3) as usize];
        let at = start() + Duration::minutes(visitor as i64);
        let name = format!("conversation-{visitor}");
        events.push(json!({"event": "exposure", "time_utc": shown(at), "visitor_id": format!("visitor-{visitor}"),
            "conversation_id": name, "data": {"experiment_id": "harm", "variant": variant}}));
        for step in 0..5_u64 {
            let millis = random.u64(100..1_000) * if variant == "B" { 3 } else { 1 };
            let at = at + Duration::seconds(10 * (1 + step) as i64);
            let attributes = json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": name});
            spans.push(span(visitor * 5 + step, 0, at, millis, &attributes));
        }
    }
    app.store(&events).await;
    app.store_spans(&spans).await;
    let answer = app.get("/api/v1/experiments/harm/guardrails?datetime_from=2026-02-01&datetime_to=2026-02-28").await;
    let decisions: Vec<_> =
        answer["decision"]["variants"].as_array().unwrap().iter().map(|of| of["code"].as_str().unwrap()).collect();
    assert_eq!(decisions, ["stop_guardrail", "continue"], "{answer}");
    assert_eq!(answer["decision"]["code"], "stop_guardrail");
    let slow = answer["metrics"].as_array().unwrap().iter().find(|metric| metric["id"] == "slow_runs").unwrap();
    assert!(slow["variants"][1]["value"].as_f64().unwrap() > 0.5, "{slow}");
    let (fast, slow) = (&answer["latency"][0], &answer["latency"][1]);
    assert!(fast["interval"][1].as_f64() < slow["interval"][0].as_f64(), "{fast} {slow}");
    // Without calls of models there are neither tokens nor costs: values are 0, and nothing is compared.
    let cost = answer["metrics"].as_array().unwrap().iter().find(|metric| metric["id"] == "cost_usd").unwrap();
    assert_eq!((&cost["variants"][1]["value"], &cost["variants"][1]["relative"]), (&json!(0.0), &Value::Null));
}

#[tokio::test]
async fn without_spans_nothing_is_known() {
    let app = TestApp::start("experiments_guardrails_none").await;
    let exposure = |visitor: u64| {
        let variant = ["A", "B"][(visitor % 2) as usize];
        json!({"event": "exposure", "time_utc": "2026-02-01T10:00:00Z", "visitor_id": format!("visitor-{visitor}"),
            "data": {"experiment_id": "quiet", "variant": variant}})
    };
    app.store(&(0..10).map(exposure).collect::<Vec<_>>()).await;
    let answer = app.get("/api/v1/experiments/quiet/guardrails?datetime_from=2026-02-01&datetime_to=2026-02-28").await;
    assert_eq!(answer["decision"]["code"], "continue", "{answer}");
    assert_eq!(
        answer["latency"],
        json!([
            {"variant": "A", "runs": 0, "p95_ms": null, "interval": null},
            {"variant": "B", "runs": 0, "p95_ms": null, "interval": null},
        ])
    );
    for metric in answer["metrics"].as_array().unwrap() {
        assert_eq!(metric["variants"][1]["notes"], json!(["empty_arm", "baseline_empty"]), "{metric}");
    }
}
