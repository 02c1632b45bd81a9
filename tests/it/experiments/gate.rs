//! A gate says what a plain count of the window says, and `roll_back` only for certain.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::support::{TestApp, granted, json_of, sign};

struct Interaction {
    event: &'static str,
    variant: &'static str,
    at: DateTime<Utc>,
    profile: &'static str,
    outcome: &'static str,
    latency_ms: Option<f64>,
}

impl Interaction {
    fn any(random: &mut fastrand::Rng, now: DateTime<Utc>) -> Self {
        let variant = ["A", "B", "C"][random.usize(..3)];
        // B fails and takes its time more often.
        let scale = if variant == "B" { 900.0 } else { 300.0 };
        Self {
            event: ["interaction", "interaction", "interaction", "error"]
                [random.usize(..3 + usize::from(variant == "B"))],
            variant,
            at: now - Duration::seconds(random.i64(0..6 * 3_600)),
            profile: ["sales", "care"][random.usize(..2)],
            outcome: ["success", "success", "success", "Failed", "timeout", ""][random.usize(..6)],
            latency_ms: (random.u8(..5) > 0).then(|| (random.f64() * scale).floor()),
        }
    }

    fn document(&self) -> Value {
        let data = json!({"experiment_id": "rollout", "variant": self.variant, "outcome": self.outcome, "latency_ms": self.latency_ms});
        let time = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        json!({"event": self.event, "time_utc": time, "profile_code": self.profile, "data": data})
    }

    fn is_failed(&self) -> bool {
        self.event == "error" || ["failed", "timeout"].contains(&self.outcome.to_lowercase().as_str())
    }
}

fn start_of_quarter(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp().div_euclid(900) * 900, 0).unwrap()
}

#[tokio::test]
async fn it_rests_on_a_plain_count_of_the_window() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("experiments_gate").await;
    let now = Utc::now();
    let told: Vec<Interaction> = (0..4_000).map(|_| Interaction::any(&mut random, now)).collect();
    let documents: Vec<Value> = told.iter().map(Interaction::document).collect();
    app.store(&documents).await;
    let other =
        json!({"event": "error", "time_utc": now.to_rfc3339(), "data": {"experiment_id": "other", "variant": "B"}});
    app.store(&[other]).await;

    for (window, length) in [("30m", 30), ("2h", 120), ("12h", 720)] {
        for profile in [None, Some("sales")] {
            let filter = profile.map_or(String::new(), |profile| format!("&profile_codes={profile}"));
            let path = format!("/api/v1/experiments/rollout/gate?max_error_rate=0.4&window={window}{filter}");
            let gate = app.get(&path).await;
            assert_eq!(gate["meta"]["source"], "experiment_interactions_15m", "{gate}");
            // The window may have moved on to the next quarter of an hour since then.
            let asked: DateTime<Utc> = gate["meta"]["range"]["to"].as_str().unwrap().parse().unwrap();
            let from = start_of_quarter(asked - Duration::seconds(1) - Duration::minutes(length));
            let from = from.min(gate["meta"]["range"]["from"].as_str().unwrap().parse().unwrap());
            let mut wanted: BTreeMap<&str, Vec<&Interaction>> = BTreeMap::new();
            for one in told.iter().filter(|one| one.at >= from && profile.is_none_or(|profile| profile == one.profile))
            {
                wanted.entry(one.variant).or_default().push(one);
            }
            let variants = gate["variants"].as_array().unwrap();
            assert_eq!(variants.iter().map(|of| of["variant"].as_str().unwrap()).collect::<Vec<_>>(), ["B", "C"]);
            for variant in variants {
                let of = &wanted[variant["variant"].as_str().unwrap()];
                let failed = of.iter().filter(|one| one.is_failed()).count();
                let shown = &variant["error_rate"];
                assert_eq!(shown["numerator"], failed, "seed {seed}: {path}");
                assert_eq!((&variant["interactions"], &shown["denominator"]), (&json!(of.len()), &json!(of.len())));
                let mut latencies: Vec<f64> =
                    of.iter().filter(|one| one.event != "error").filter_map(|one| one.latency_ms).collect();
                assert_eq!(variant["latency"]["samples"], latencies.len(), "seed {seed}: {path}");
                latencies.sort_by(f64::total_cmp);
                let p95 = latencies[(0.95 * latencies.len() as f64).ceil() as usize - 1];
                let shown = variant["latency"]["p95_ms"].as_f64().unwrap();
                assert!((shown / p95 - 1.0).abs() <= 0.01, "seed {seed}: {path} {shown} {p95}");
            }
        }
    }
    let decided = async |query: &str| {
        let gate = app.get(&format!("/api/v1/experiments/rollout/gate?window=12h&{query}")).await;
        (gate["decision"].as_str().unwrap().to_owned(), gate["reasons"].clone())
    };
    assert_eq!(decided("max_error_rate=0.9&max_latency_p95_ms=2000").await.0, "pass");
    assert_eq!(decided("max_error_rate=0.05").await, ("roll_back".to_owned(), json!(["error_rate_exceeded"])));
    let slow = decided("max_error_rate=0.9&max_latency_p95_ms=400").await;
    assert_eq!(slow, ("roll_back".to_owned(), json!(["latency_exceeded"])));
    assert_eq!(decided("max_latency_p95_ms=400&variant=C").await.0, "pass");
    let few = decided("max_error_rate=0.9&min_interactions=100000").await;
    assert_eq!(few, ("hold".to_owned(), json!(["too_few_interactions"])));
}

#[tokio::test]
async fn what_cannot_be_judged_is_told() {
    let app = TestApp::start("experiments_gate_refused").await;
    let exposure = json!({"event": "exposure", "time_utc": "2026-02-01T10:00:00Z", "visitor_id": "v",
        "data": {"experiment_id": "quiet", "variant": "B"}});
    app.store(&[exposure]).await;
    let quiet = app.get("/api/v1/experiments/quiet/gate?max_error_rate=0.1&variant=B").await;
    assert_eq!((&quiet["decision"], &quiet["reasons"]), (&json!("hold"), &json!(["no_data"])), "{quiet}");
    assert_eq!(quiet["variants"][0]["error_rate"]["value"], Value::Null);
    for (query, status, told) in [
        ("quiet/gate", 422, "max_error_rate"),
        ("quiet/gate?max_error_rate=1.5", 422, "is not from 0 to 1"),
        ("quiet/gate?max_latency_p95_ms=0", 422, "is not above 0"),
        ("quiet/gate?max_error_rate=0.1&window=1y", 422, "is not a length"),
        ("quiet/gate?max_error_rate=0.1&variant=Z", 422, "\"allowed\":[\"B\"]"),
        ("unheard/gate?max_error_rate=0.1", 404, "nobody was exposed to it"),
    ] {
        let (answered, problem) = app.ask(&format!("/api/v1/experiments/{query}")).await;
        assert_eq!(answered.as_u16(), status, "{query}: {problem}");
        assert!(problem.to_string().contains(told), "{query}: {problem}");
    }
    let token = sign(&granted(app.claims(), "profile_code", &["sales"]));
    let path = "/api/v1/experiments/quiet/gate?max_error_rate=0.1&profile_codes=care";
    let outside = app.request(path).bearer_auth(token).send().await.unwrap();
    assert_eq!(outside.status(), 403, "{}", json_of(outside).await);
}
