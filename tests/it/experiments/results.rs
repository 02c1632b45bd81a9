//! Results of experiments are what a plain computation makes of the raw rows: for experiments of any size, with units
//! in several variants, arms without units, exposures again and again, and goals before them and long after.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use clickhouse::Row;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{TestApp, json_of};

const START: &str = "2026-02-01T00:00:00Z";

/// What an event says of an experiment, as it is read back.
#[derive(Debug, Clone, Row, Deserialize)]
struct Told {
    visitor: String,
    variant: String,
    /// Microseconds since 1970.
    at: i64,
    price: Option<f64>,
}

struct Experiment {
    id: String,
    units: u64,
    arms: u64,
}

/// Makes experiments of the months around February: by the engine, which writes faster than any client.
async fn fill(app: &TestApp, experiments: &[Experiment], seed: u64) {
    let database = format!("{}_analytics", app.account);
    for Experiment { id, units, arms } in experiments {
        // A unit is exposed up to four times within 40 days, and one in fifty to another variant as well.
        let exposures = format!(
            "INSERT INTO {database}.events (event_id, time_utc, event, profile_code, platform, visitor_id, data, ingested_at)
             WITH cityHash64('{id}', {seed}, number, intDiv(number, 4)) AS random, intDiv(number, 4) AS unit
             SELECT generateUUIDv4(), toDateTime64('{START_TIME}', 6, 'UTC') + toIntervalSecond(random % (40 * 86400)), 'exposure',
                    'sales', ['web', 'ios'][random % 2 + 1], concat('visitor-', toString(unit)),
                    concat('{{\"experiment_id\":\"{id}\",\"variant\":\"', char(65 + (cityHash64({seed}, unit) + (random % 200 = 0)) % {arms}), '\"}}'),
                    now64(6)
             FROM numbers({units} * 4) WHERE number % 4 = 0 OR random % 3 = 0"
        );
        let goals = format!(
            "INSERT INTO {database}.events (event_id, time_utc, event, profile_code, platform, visitor_id, data, ingested_at)
             WITH cityHash64('{id}', 'goal', {seed}, number) AS random
             SELECT generateUUIDv4(), toDateTime64('{START_TIME}', 6, 'UTC') + toIntervalSecond(random % (50 * 86400)) - toIntervalDay(10),
                    if(random % 5 = 0, 'visit', 'sale'), 'sales', 'web', concat('visitor-', toString(random % ({units} + 1))),
                    if(random % 7 = 0, '{{}}', concat('{{\"price\":', toString((random % 2000) / 100 - 3), '}}')), now64(6)
             FROM numbers({units} * 3)"
        );
        for statement in [exposures, goals] {
            app.clickhouse.execute(&statement).await.unwrap();
        }
    }
}

const START_TIME: &str = "2026-02-01 00:00:00";

async fn told(app: &TestApp, condition: &str) -> Vec<Told> {
    let sql = format!(
        "SELECT ifNull(visitor_id, '') AS visitor, ifNull(data.variant, '') AS variant,
                toUnixTimestamp64Micro(time_utc) AS at, toFloat64OrNull(CAST(data.price, 'Nullable(String)')) AS price
         FROM {}_analytics.events WHERE {condition}",
        app.account
    );
    app.clickhouse.fetch::<Told>(&sql).await.unwrap()
}

/// How a question counts.
struct Asked {
    kind: &'static str,
    from: i64,
    to: i64,
    window: i64,
    before: i64,
    keeps_multiple: bool,
}

/// y, d and x of a unit.
type Numbers = [f64; 3];

/// What each unit did, by variant; and how many are in several.
fn computed(exposures: &[Told], goals: &[Told], asked: &Asked) -> (BTreeMap<String, Vec<Numbers>>, usize) {
    let mut first: HashMap<&str, (i64, &str)> = HashMap::new();
    let mut seen: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    let mut by_event: HashMap<&str, f64> = HashMap::new();
    for exposure in exposures.iter().filter(|exposure| exposure.at < asked.to && !exposure.visitor.is_empty()) {
        if asked.kind == "event_ratio" && exposure.at < asked.from {
            continue;
        }
        let now = (exposure.at, exposure.variant.as_str());
        let known = first.entry(&exposure.visitor).or_insert(now);
        *known = (*known).min(now);
        seen.entry(&exposure.visitor).or_default().insert(&exposure.variant);
        *by_event.entry(&exposure.visitor).or_default() += 1.0;
    }
    let mut done: HashMap<&str, Vec<&Told>> = HashMap::new();
    for goal in goals.iter().filter(|goal| goal.at < asked.to && first.contains_key(goal.visitor.as_str())) {
        done.entry(&goal.visitor).or_default().push(goal);
    }
    let (mut arms, mut multiple) = (BTreeMap::<String, Vec<Numbers>>::new(), 0);
    for (visitor, (at, variant)) in first {
        if at < asked.from {
            continue;
        }
        let is_multiple = seen[visitor].len() > 1;
        multiple += usize::from(is_multiple);
        if is_multiple && !asked.keeps_multiple {
            continue;
        }
        let none = Vec::new();
        let of_unit = done.get(visitor).unwrap_or(&none);
        let sum = |from: i64, to: i64, value: &dyn Fn(&Told) -> f64| -> f64 {
            of_unit.iter().filter(|goal| from <= goal.at && goal.at < to).map(|goal| value(goal)).sum()
        };
        let is_sale = |goal: &Told| f64::from(u8::from(goal.variant == "sale"));
        let price = |goal: &Told| if goal.variant == "sale" { goal.price.unwrap_or(0.0) } else { 0.0 };
        let visit = |goal: &Told| f64::from(u8::from(goal.variant == "visit"));
        let (end, begin) = (at + asked.window, at - asked.before);
        let numbers = match asked.kind {
            "conversion" => [sum(at, end, &is_sale).min(1.0), 0.0, sum(begin, at, &is_sale).min(1.0)],
            "count" => [sum(at, end, &is_sale), 0.0, sum(begin, at, &is_sale)],
            "mean" => [sum(at, end, &price), 0.0, sum(begin, at, &price)],
            "ratio" => [sum(at, end, &price), sum(at, end, &visit), 0.0],
            _ => [sum(asked.from, asked.to, &is_sale), by_event[visitor], 0.0],
        };
        arms.entry(variant.to_owned()).or_default().push(numbers);
    }
    (arms, multiple)
}

fn sample(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, variance)
}

#[track_caller]
fn assert_close(shown: &Value, wanted: f64, what: &str) {
    let shown = shown.as_f64().unwrap_or_else(|| panic!("{what}: {shown} is not {wanted}"));
    assert!((shown - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{what}: {shown} is not {wanted}");
}

#[tokio::test]
async fn results_are_what_a_plain_computation_makes_of_the_rows() {
    let seed = fastrand::u64(..1_000_000);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("experiment_results").await;
    // Small ones and large ones, up to 50,000 units. Every question reads the goals of all of them.
    let experiments: Vec<Experiment> = (0..20)
        .map(|number| Experiment {
            id: format!("experiment-{number}"),
            units: (50_000_f64.powf(random.f64() * if number == 0 { 1.0 } else { 0.8 })) as u64,
            arms: random.u64(1..=5),
        })
        .collect();
    fill(&app, &experiments, seed).await;
    let goals_of_all = {
        // The name of the event takes the place of the variant.
        let sql = format!(
            "SELECT ifNull(visitor_id, '') AS visitor, toString(event) AS variant, toUnixTimestamp64Micro(time_utc) AS at,
                    toFloat64OrNull(CAST(data.price, 'Nullable(String)')) AS price
             FROM {}_analytics.events WHERE event IN ('sale', 'visit')",
            app.account
        );
        app.clickhouse.fetch::<Told>(&sql).await.unwrap()
    };
    let start: DateTime<Utc> = START.parse().unwrap();
    let mut exposures_of_all = Vec::new();
    for experiment in &experiments {
        let condition = format!("event = 'exposure' AND data.experiment_id = '{}'", experiment.id);
        exposures_of_all.push(told(&app, &condition).await);
    }
    for round in 0..120 {
        let (experiment, exposures) =
            (&experiments[round % experiments.len()], &exposures_of_all[round % experiments.len()]);
        let from = start + Duration::minutes(random.i64(-1_440..20 * 1_440));
        let to = from + Duration::minutes(random.i64(60..40 * 1_440));
        let (window, days) = [("1d", 1), ("14d", 14), ("90m", 0)][random.usize(..3)];
        let window_micros = if days == 0 { 90 * 60_000_000 } else { days * 86_400_000_000 };
        let kind = ["conversion", "count", "mean", "ratio", "event_ratio"][random.usize(..5)];
        let keeps_multiple = random.bool();
        let cuped_days = if kind.ends_with("ratio") { 0 } else { [0, 7][random.usize(..2)] };
        let asked = Asked {
            kind,
            from: from.timestamp_micros(),
            to: to.timestamp_micros(),
            window: window_micros,
            before: cuped_days * 86_400_000_000,
            keeps_multiple,
        };
        let (arms, multiple) = computed(exposures, &goals_of_all, &asked);
        let shown = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let extra = match kind {
            "mean" => "&value_field=data.price",
            "ratio" => "&value_field=data.price&denominator_event=visit",
            _ => "",
        };
        // A filter by what the rollup does not tell, which filters nothing, is answered from raw rows.
        let raw = ["", "&filter=agent_id:is_null"][random.usize(..2)];
        let path = format!(
            "/api/v1/experiments/{}/results?datetime_from={}&datetime_to={}&goal_event=sale&metric_type={kind}{extra}&conversion_window={window}&cuped_days={cuped_days}&multiple_exposures={}{raw}",
            experiment.id,
            shown(from),
            shown(to),
            if keeps_multiple { "first" } else { "exclude" },
        );
        let answer = app.get(&path).await;
        let wanted_source = if raw.is_empty() && kind != "event_ratio" { "experiment_units" } else { "raw" };
        assert_eq!(answer["meta"]["source"], wanted_source, "{path}");
        assert_eq!(answer["health"]["multiple_exposures"]["units"], multiple, "seed {seed}: {path}");
        let (mut known, nobody) = (BTreeMap::new(), Vec::new());
        for variant in answer["metrics"][0]["variants"].as_array().unwrap() {
            let name = variant["variant"].as_str().unwrap();
            let units = arms.get(name).unwrap_or(&nobody);
            assert_eq!(variant["units"], units.len(), "seed {seed}: {path} {name}");
            let [y, d] = [0, 1].map(|place| units.iter().map(|numbers| numbers[place]).sum::<f64>());
            let what = format!("seed {seed}: {path} {name}");
            assert_close(&variant["numerator"], y, &what);
            let denominator = if kind.ends_with("ratio") { d } else { units.len() as f64 };
            assert_close(&variant["denominator"], denominator, &what);
            if denominator > 0.0 {
                assert_close(&variant["value"], y / denominator, &what);
            } else {
                assert_eq!(variant["value"], Value::Null, "{what}");
            }
            known.insert(name.to_owned(), (variant.clone(), units));
        }
        assert!(arms.keys().all(|name| known.contains_key(name)), "seed {seed}: {path}");
        // Each of these units is in one bucket of the chart of exposures.
        if kind != "event_ratio" {
            let chart = format!(
                "/api/v1/experiments/{}/charts/exposures?datetime_from={}&datetime_to={}&timezone=Asia/Kathmandu&aggregation_level=day&multiple_exposures={}{raw}",
                experiment.id,
                shown(from),
                shown(to),
                if keeps_multiple { "first" } else { "exclude" },
            );
            let drawn: BTreeMap<String, u64> = app.get(&chart).await["series"]
                .as_array()
                .unwrap()
                .iter()
                .map(|series| {
                    let data = series["data"].as_array().unwrap();
                    (series["id"].as_str().unwrap().to_owned(), data.iter().filter_map(Value::as_u64).sum())
                })
                .filter(|(_, units)| *units > 0)
                .collect();
            let counted: BTreeMap<String, u64> =
                arms.iter().map(|(name, units)| (name.clone(), units.len() as u64)).collect();
            assert_eq!(drawn, counted, "seed {seed}: {chart}");
        }
        // The difference and its standard error, from the units themselves.
        let baseline = answer["baseline"].as_str().unwrap();
        let Some((_, of_baseline)) = known.get(baseline).filter(|(_, units)| units.len() > 1) else { continue };
        for (variant, units) in
            known.values().filter(|(variant, units)| variant["variant"] != baseline && units.len() > 1)
        {
            if !["mean", "count"].contains(&kind) || variant["absolute"].is_null() {
                continue;
            }
            let y = |units: &[Numbers]| sample(units.iter().map(|numbers| numbers[0]).collect::<Vec<_>>().into_iter());
            let ((one, of_one), (two, of_two)) = (y(of_baseline), y(units));
            let error = (of_one / of_baseline.len() as f64 + of_two / units.len() as f64).sqrt();
            let what = format!("seed {seed}: {path} {}", variant["variant"]);
            assert_close(&variant["absolute"]["value"], two - one, &what);
            assert_close(&variant["absolute"]["standard_error"], error, &what);
        }
    }
}

/// An exposure of a visitor.
fn exposure(visitor: &str, variant: &str, at: &str) -> Value {
    json!({"event": "exposure", "visitor_id": visitor, "time_utc": at, "data": {"experiment_id": "reply-tone", "variant": variant}})
}

fn sale(visitor: &str, at: &str) -> Value {
    json!({"event": "sale", "visitor_id": visitor, "time_utc": at, "data": {"price": 5}})
}

const FEBRUARY: &str = "datetime_from=2026-02-01&datetime_to=2026-02-28";

#[tokio::test]
async fn what_comes_late_and_in_any_order_counts_as_if_it_had_not() {
    let app = TestApp::start("experiment_late").await;
    app.store(&[sale("one", "2026-02-03T00:00:00Z"), exposure("one", "B", "2026-02-05T00:00:00Z")]).await;
    let path = format!("/api/v1/experiments/reply-tone/results?{FEBRUARY}&goal_event=sale&weights=A:1,B:1");
    let of = |answer: &Value, arm: usize| {
        let variant = &answer["metrics"][0]["variants"][arm];
        (variant["units"].as_u64().unwrap(), variant["numerator"].as_u64().unwrap())
    };
    let answer = app.get(&path).await;
    assert_eq!((of(&answer, 0), of(&answer, 1)), ((0, 0), (1, 0)));
    // An exposure of before comes in later: now the sale is after it.
    app.store(&[exposure("one", "B", "2026-02-02T00:00:00Z")]).await;
    assert_eq!(of(&app.get(&path).await, 1), (1, 1));
    // At the very time of the exposure it counts; where it ends, the window does not.
    app.store(&[
        exposure("two", "A", "2026-02-02T00:00:00Z"),
        sale("two", "2026-02-02T00:00:00Z"),
        exposure("three", "A", "2026-02-02T00:00:00Z"),
        sale("three", "2026-02-16T00:00:00Z"),
    ])
    .await;
    assert_eq!(of(&app.get(&path).await, 0), (2, 1));
    // Who was in another variant before belongs to neither, unless the first is asked for.
    app.store(&[exposure("two", "B", "2026-02-10T00:00:00Z")]).await;
    let answer = app.get(&path).await;
    assert_eq!((of(&answer, 0), answer["health"]["multiple_exposures"]["units"].clone()), ((1, 0), json!(1)));
    assert_eq!(of(&app.get(&format!("{path}&multiple_exposures=first")).await, 0), (2, 1));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_what_would() {
    let app = TestApp::start("experiment_refused").await;
    app.store(&[exposure("one", "A", "2026-02-02T00:00:00Z"), exposure("two", "B", "2026-02-02T00:00:00Z")]).await;
    let ask = async |query: &str| {
        let path = format!("/api/v1/experiments/reply-tone/results?{FEBRUARY}&{query}");
        let response = app.request(&path).bearer_auth(app.token()).send().await.unwrap();
        (response.status().as_u16(), json_of(response).await)
    };
    for (query, parameter, allowed) in [
        ("goal_event=sale&baseline=C", "baseline", json!(["A", "B"])),
        ("goal_event=sale&weights=A:1", "weights", json!(["A", "B"])),
        ("goal_event=sale&weights=A:1,B:x", "weights", Value::Null),
        ("goal_event=sale&weights=A:0,B:1", "weights", Value::Null),
        ("", "goal_event", Value::Null),
        ("goal_event=sale&metric_type=mean", "value_field", Value::Null),
        ("goal_event=sale&metric_type=ratio", "denominator_event", Value::Null),
        ("goal_event=sale&value_field=price&metric_type=mean", "value_field", Value::Null),
        ("goal_event=sale&conversion_window=2w", "conversion_window", Value::Null),
        ("goal_event=sale&cuped_days=91", "cuped_days", Value::Null),
        ("goal_event=sale&goal_filter=nothing:eq:1", "goal_filter", Value::Null),
    ] {
        let (status, body) = ask(query).await;
        assert_eq!((status, &body["errors"][0]["parameter"]), (422, &json!(parameter)), "{query}: {body}");
        if !allowed.is_null() {
            assert_eq!(body["errors"][0]["allowed"], allowed, "{query}: {body}");
        }
    }
    let (status, _) = ask("goal_event=nothing").await;
    assert_eq!(status, 200);
    let (_, body) = ask("goal_event=nothing").await;
    let candidate = &body["metrics"][0]["variants"][1];
    assert_eq!((&candidate["value"], &candidate["notes"]), (&Value::Null, &json!(["no_events_of_goal"])), "{body}");
    let nobody = app.request("/api/v1/experiments/nobody/results?goal_event=sale").bearer_auth(app.token());
    assert_eq!(nobody.send().await.unwrap().status(), 404);
}
