//! Conversion over time is what a plain count knew at the end of each bucket.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::support::TestApp;

fn start() -> DateTime<Utc> {
    "2026-02-01T00:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn each_value_is_what_was_known_by_then() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("experiments_conversion").await;
    let at = |random: &mut fastrand::Rng| start() + Duration::seconds(random.i64(0..20 * 86_400));
    // Visitor, variant, time.
    let exposures: Vec<(u64, &str, DateTime<Utc>)> = (0..1_500)
        .map(|_| {
            let visitor = random.u64(..700);
            let variant = if random.u8(..50) == 0 { "B" } else { ["A", "B", "C"][(visitor % 3) as usize] };
            (visitor, variant, at(&mut random))
        })
        .collect();
    let goals: Vec<(u64, DateTime<Utc>)> = (0..1_500).map(|_| (random.u64(..700), at(&mut random))).collect();
    let event = |name: &str, visitor: u64, at: DateTime<Utc>, data: Value| {
        let time = at.to_rfc3339_opts(SecondsFormat::Micros, true);
        json!({"event": name, "time_utc": time, "visitor_id": format!("visitor-{visitor}"), "data": data})
    };
    let told = exposures.iter().map(|(visitor, variant, at)| {
        event("exposure", *visitor, *at, json!({"experiment_id": "e", "variant": variant}))
    });
    let told = told.chain(goals.iter().map(|(visitor, at)| event("sale", *visitor, *at, json!({}))));
    app.store(&told.collect::<Vec<_>>()).await;

    for (window, length) in [("14d", Duration::days(14)), ("36h", Duration::hours(36))] {
        let (from, to) = (start() + Duration::days(2), start() + Duration::days(18));
        let path = format!(
            "/api/v1/experiments/e/charts/conversion?goal_event=sale&datetime_from=2026-02-03&datetime_to=2026-02-18&aggregation_level=day&conversion_window={window}"
        );
        let chart = app.get(&path).await;
        let ids: Vec<&str> = chart["series"].as_array().unwrap().iter().map(|of| of["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["A", "A:lower", "A:upper", "B", "B:lower", "B:upper", "C", "C:lower", "C:upper"]);
        let mut first: HashMap<u64, (DateTime<Utc>, &str)> = HashMap::new();
        let mut variants: HashMap<u64, BTreeSet<&str>> = HashMap::new();
        for (visitor, variant, at) in exposures.iter().filter(|(_, _, at)| *at < to) {
            let known = first.entry(*visitor).or_insert((*at, variant));
            *known = (*known).min((*at, variant));
            variants.entry(*visitor).or_default().insert(variant);
        }
        for day in 0..16 {
            let end = from + Duration::days(day + 1);
            for (line, variant) in ["A", "B", "C"].iter().enumerate() {
                let units: Vec<_> = first
                    .iter()
                    .filter(|(visitor, (at, of))| {
                        *at >= from && *at < end && of == variant && variants[visitor].len() == 1
                    })
                    .collect();
                let converted = units.iter().filter(|(visitor, (exposed, _))| {
                    goals.iter().any(|(of, at)| of == *visitor && at >= exposed && *at < *exposed + length && *at < end)
                });
                let (successes, trials) = (converted.count() as f64, units.len() as f64);
                let shown = |offset: usize| &chart["series"][3 * line + offset]["data"][day as usize];
                let what = format!("seed {seed}: {path}: day {day} of {variant}");
                if trials == 0.0 {
                    assert!([0, 1, 2].into_iter().all(|offset| shown(offset).is_null()), "{what}");
                    continue;
                }
                let p = successes / trials;
                assert!((shown(0).as_f64().unwrap() - p).abs() < 1e-12, "{what}: {} {p}", shown(0));
                if trials < 2.0 || successes == 0.0 || successes == trials {
                    assert!(shown(1).is_null() && shown(2).is_null(), "{what}");
                    continue;
                }
                // Written out from the definition in the documentation.
                let rho2 = (-2.0 * 0.05_f64.ln() + (-2.0 * 0.05_f64.ln() + 1.0).ln()) / 5_000.0;
                let (n, error) = (trials, (p * (1.0 - p) / trials).sqrt());
                let half = error
                    * n.sqrt()
                    * (2.0 * (n * rho2 + 1.0) / (n * n * rho2) * ((n * rho2 + 1.0).sqrt() / 0.05).ln()).sqrt();
                let bounds = [(p - half).max(0.0), (p + half).min(1.0)];
                for (offset, bound) in [(1, bounds[0]), (2, bounds[1])] {
                    assert!(
                        (shown(offset).as_f64().unwrap() - bound).abs() < 1e-9,
                        "{what}: {} {bound}",
                        shown(offset)
                    );
                }
            }
        }
        let lift = app.get(&format!("{path}&show=lift")).await;
        let last = |chart: &Value, line: usize| chart["series"][line]["data"][15].as_f64().unwrap();
        let wanted = last(&chart, 3) / last(&chart, 0) - 1.0;
        assert!((last(&lift, 0) - wanted).abs() < 1e-9, "seed {seed}: {path}");
        assert!(last(&lift, 1) < last(&lift, 0) && last(&lift, 0) < last(&lift, 2));
    }
}

#[tokio::test]
async fn of_what_has_not_begun_nothing_is_known() {
    let app = TestApp::start("experiments_conversion_future").await;
    let time = (Utc::now() - Duration::minutes(5)).to_rfc3339();
    let told = ["A", "B"].map(|variant| {
        json!({"event": "exposure", "time_utc": time, "visitor_id": variant, "data": {"experiment_id": "e", "variant": variant}})
    });
    app.store(&told).await;
    let (from, to) = (Utc::now() - Duration::days(2), Utc::now() + Duration::days(2));
    let shown = |at: DateTime<Utc>| at.format("%Y-%m-%d").to_string();
    let path = format!(
        "/api/v1/experiments/e/charts/conversion?goal_event=sale&datetime_from={}&datetime_to={}&aggregation_level=day",
        shown(from),
        shown(to)
    );
    let chart = app.get(&path).await;
    let data = chart["series"][0]["data"].as_array().unwrap();
    assert_eq!((&data[0], &data[data.len() - 1]), (&Value::Null, &Value::Null), "{chart}");
    assert!(data.contains(&json!(0.0)), "{chart}");
}
