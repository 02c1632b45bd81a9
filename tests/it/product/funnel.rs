//! Funnels: every way through the events of every unit, tried out in Rust, and the rules in stories.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::random::{Event, Picked, assert_verified, shown, store_shuffled, visits, window, within};
use super::store;
use crate::support::{TestApp, quantile};

const STEPS: [Picked; 7] = [
    ("page_viewed", |event| event.name == "page_viewed"),
    ("feature_viewed", |event| event.name == "feature_viewed"),
    ("feature_viewed;feature:in:export,pin", |event| {
        event.name == "feature_viewed" && ["export", "pin"].contains(&event.word("feature"))
    }),
    ("page_viewed;route_pattern:eq:/reports;source:eq:web", |event| {
        event.name == "page_viewed" && event.route == "/reports" && event.source == "web"
    }),
    ("filter_changed;value_count:gt:2|filter_key:is_null", |event| {
        event.name == "filter_changed" && (event.number("value_count") > Some(2) || event.word("filter_key").is_empty())
    }),
    ("chart_interacted", |event| event.name == "chart_interacted"),
    ("session_ended", |event| event.name == "session_ended"),
];

/// What became of one unit: its group, and by step the times from the first and from the previous one, in milliseconds.
struct Went {
    group: &'static str,
    times: Vec<Option<(f64, f64)>>,
}

/// Tries every way of a unit's events through the steps.
fn went(mut events: Vec<&Event>, steps: &[Picked], window: Duration, is_strict: bool, split: &str) -> Option<Went> {
    let is = |event: &Event, step: usize| steps[step].1(event);
    // At the same instant: the earliest step first, no step last.
    let mask = |event: &Event| (0..steps.len()).filter(|step| is(event, *step)).map(|step| 1_u32 << step).sum::<u32>();
    let earliest = |event: &Event| (0..steps.len()).find(|step| is(event, *step)).unwrap_or(99);
    events.retain(|event| is_strict || mask(event) > 0);
    events.sort_by_key(|event| {
        (event.time, earliest(event), mask(event), if split.is_empty() { "" } else { event.word(split) })
    });
    let first = events.iter().find(|event| is(event, 0))?;
    // By step and event: from which first steps that event is reached as that step.
    let mut reached: Vec<Vec<BTreeSet<DateTime<Utc>>>> =
        vec![events.iter().map(|event| is(event, 0).then_some(event.time).into_iter().collect()).collect()];
    for step in 1..steps.len() {
        let before = &reached[step - 1];
        let of_step = events.iter().enumerate().map(|(place, event)| {
            if !is(event, step) {
                return BTreeSet::new();
            }
            let since = if is_strict { place.saturating_sub(1) } else { 0 };
            let starts = before[since..place].iter().flatten().copied();
            starts.filter(|start| event.time - *start <= window).collect()
        });
        let of_step = of_step.collect();
        reached.push(of_step);
    }
    let millis = |duration: Duration| duration.num_microseconds().unwrap() as f64 / 1e3;
    let times = (0..steps.len()).map(|step| {
        let place = reached[step].iter().position(|starts| !starts.is_empty())?;
        let (start, time) = (*reached[step][place].last()?, events[place].time);
        let before = match step {
            0 => time,
            _ if is_strict => events[place - 1].time,
            _ => events[reached[step - 1].iter().position(|starts| starts.contains(&start))?].time,
        };
        Some((millis(time - start), millis(time - before)))
    });
    Some(Went { group: if split.is_empty() { "" } else { first.word(split) }, times: times.collect() })
}

/// Whether the steps of an answer are what became of these units.
#[track_caller]
fn assert_steps(steps: &Value, went: &[&Went], previous: &[&Went], told: &str) {
    let came = |went: &[&Went], step: usize| went.iter().filter(|went| went.times[step].is_some()).count();
    for (index, step) in steps.as_array().unwrap().iter().enumerate() {
        let (units, first) = (came(went, index), came(went, 0));
        assert_eq!(step["units"], units, "{told}: {step}");
        assert_eq!(step["previous_units"], came(previous, index), "{told}: {step}");
        let rate = |part: usize, whole: usize| json!((whole > 0).then(|| part as f64 / whole as f64));
        assert_eq!(step["conversion_rate"], rate(units, first), "{told}: {step}");
        if index == 0 {
            continue;
        }
        let before = came(went, index - 1);
        assert_eq!(step["step_rate"], rate(units, before), "{told}: {step}");
        assert_eq!(step["dropped"], before - units, "{told}: {step}");
        let of = |place: usize| {
            let times = went.iter().filter_map(|went| went.times[index]);
            times.map(|times| if place == 0 { times.0 } else { times.1 }).collect::<Vec<f64>>()
        };
        for (place, name) in [(0, "from_first"), (1, "from_previous")] {
            for (level, suffix) in [(0.5, "p50_ms"), (0.9, "p90_ms")] {
                let (mut times, shown) = (of(place), step[format!("{name}_{suffix}")].as_f64());
                let wanted = (!times.is_empty()).then(|| quantile(&mut times, level));
                let is_same = match (shown, wanted) {
                    (Some(shown), Some(wanted)) => (shown - wanted).abs() < 1e-3,
                    (shown, wanted) => shown == wanted,
                };
                assert!(is_same, "{told}: {name}_{suffix} of {step}: not {wanted:?}");
            }
        }
    }
}

#[tokio::test]
async fn funnels_are_every_way_tried_out() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = super::app("product_funnels").await;
    let first = "2026-03-26T20:00:00Z".parse().unwrap();
    let events = visits(&mut random, first, 6, 40, 300);
    store_shuffled(&app, &mut random, &events).await;
    for _ in 0..25 {
        let (from, to) = window(&mut random, first, 6);
        let steps: Vec<Picked> = (0..random.usize(2..5)).map(|_| STEPS[random.usize(..STEPS.len())]).collect();
        let minutes = [1, 30, 60, 600, 7 * 1_440][random.usize(..5)].min((to - from).num_minutes().max(1));
        if Duration::minutes(minutes) > to - from {
            continue;
        }
        let (is_strict, is_of_users) = (random.bool(), random.bool());
        let split = ["", "", "source", "route_pattern", "feature"][random.usize(..5)];
        let mut path = format!(
            "/api/v1/product/funnel?datetime_from={}&datetime_to={}&window={minutes}m&order={}&unit={}&compare=previous_period&verify=true",
            shown(from),
            shown(to),
            if is_strict { "strict" } else { "loose" },
            if is_of_users { "user" } else { "session" },
        );
        steps.iter().for_each(|(step, _)| path.push_str(&format!("&steps={step}")));
        if !split.is_empty() {
            path.push_str(&format!("&split_by={split}&top=2"));
        }
        let told = format!("seed {seed}: {path}");
        let answer = app.get(&path).await;
        assert_verified(&answer, &told);
        let all = |from, to| -> Vec<Went> {
            let mut units: BTreeMap<String, Vec<&Event>> = BTreeMap::new();
            for event in within(&events, from, to) {
                let unit = if is_of_users { event.user.to_string() } else { event.session.clone() };
                units.entry(unit).or_default().push(event);
            }
            let went_of = |events| went(events, &steps, Duration::minutes(minutes), is_strict, split);
            units.into_values().filter_map(went_of).collect()
        };
        let (current, earlier) = (all(from, to), all(from - (to - from), from));
        assert_steps(&answer["steps"], &current.iter().collect::<Vec<_>>(), &earlier.iter().collect::<Vec<_>>(), &told);

        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        current.iter().for_each(|went| *sizes.entry(went.group).or_default() += 1);
        let mut largest: Vec<(&str, usize)> = sizes.into_iter().collect();
        largest.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
        let kept: Vec<&str> = largest.iter().take(2).map(|(group, _)| *group).collect();
        let groups = answer["groups"].as_array().unwrap();
        let wanted = if split.is_empty() { 0 } else { largest.len().min(3) };
        assert_eq!(groups.len(), wanted, "{told}");
        for (index, group) in groups.iter().enumerate() {
            let is_of_group = |went: &&Went| match kept.get(index) {
                Some(kept) => went.group == *kept,
                None => !kept.contains(&went.group),
            };
            let name = kept.get(index).map_or("other", |name| if name.is_empty() { "none" } else { name });
            assert_eq!(group["group"], name, "{told}");
            let current: Vec<&Went> = current.iter().filter(is_of_group).collect();
            let earlier: Vec<&Went> = earlier.iter().filter(is_of_group).collect();
            assert_steps(&group["steps"], &current, &earlier, &told);
        }
    }
}

fn event(session: &str, time: &str, name: &str, payload: Value) -> Value {
    json!({
        "name": name, "schema_version": "v1", "org_id_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "session_id": format!("session-s0123456789-{session}"), "anonymous_user_id": format!("visitor-v0123456789-{session}"),
        "route_pattern": "/", "occurred_at": format!("2026-02-03T{time}Z"), "payload": payload,
    })
}

const DAY: &str = "datetime_from=2026-02-03&datetime_to=2026-02-03";

async fn units(app: &TestApp, question: &str) -> Vec<u64> {
    let answer = app.get(&format!("/api/v1/product/funnel?{DAY}&{question}")).await;
    answer["steps"].as_array().unwrap().iter().map(|step| step["units"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn at_the_same_instant_events_are_in_the_order_of_their_steps() {
    let app = super::app("product_same_instant").await;
    let nothing = json!({});
    store(
        &app,
        &[
            // Both at once, whichever was stored first: page, then feature.
            event("a", "10:00:00", "feature_viewed", nothing.clone()),
            event("a", "10:00:00", "page_viewed", nothing.clone()),
            // One event is one step.
            event("b", "10:00:00", "page_viewed", nothing.clone()),
            // An error at the same instant comes last, and is in nobody's way; a microsecond later it is.
            event("c", "10:00:00", "page_viewed", nothing.clone()),
            event("c", "10:00:01", "client_error", nothing.clone()),
            event("c", "10:00:01", "feature_viewed", nothing.clone()),
            event("d", "10:00:00", "page_viewed", nothing.clone()),
            event("d", "10:00:00.999999", "client_error", nothing.clone()),
            event("d", "10:00:01", "feature_viewed", nothing),
        ],
    )
    .await;
    assert_eq!(units(&app, "steps=page_viewed&steps=feature_viewed").await, [4, 3]);
    assert_eq!(units(&app, "steps=feature_viewed&steps=page_viewed").await, [3, 1]);
    assert_eq!(units(&app, "steps=page_viewed&steps=page_viewed").await, [4, 0]);
    assert_eq!(units(&app, "steps=page_viewed&steps=feature_viewed&order=strict").await, [4, 2]);
}

#[tokio::test]
async fn all_steps_lie_within_the_window_from_the_first_one() {
    let app = super::app("product_window").await;
    let nothing = json!({});
    store(
        &app,
        &[
            // Exactly an hour counts, a microsecond more does not.
            event("a", "10:00:00", "page_viewed", nothing.clone()),
            event("a", "11:00:00", "feature_viewed", nothing.clone()),
            event("b", "10:00:00", "page_viewed", nothing.clone()),
            event("b", "11:00:00.000001", "feature_viewed", nothing.clone()),
            // Another first step opens the window anew.
            event("c", "10:00:00", "page_viewed", nothing.clone()),
            event("c", "10:30:00", "page_viewed", nothing.clone()),
            event("c", "11:15:00", "feature_viewed", nothing.clone()),
            // From step to step there is time enough, from the first to the last there is not.
            event("d", "10:00:00", "page_viewed", nothing.clone()),
            event("d", "10:45:00", "feature_viewed", nothing.clone()),
            event("d", "11:30:00", "client_error", nothing),
        ],
    )
    .await;
    let three = "steps=page_viewed&steps=feature_viewed&steps=client_error&window=1h";
    assert_eq!(units(&app, three).await, [4, 3, 0]);
    let answer = app.get(&format!("/api/v1/product/funnel?{DAY}&{three}")).await;
    // An hour, 45 minutes and 45 minutes.
    assert_eq!(answer["steps"][1]["from_first_p50_ms"], 45.0 * 60_000.0);
    assert_eq!(answer["steps"][1]["dropped"], 1);
    assert_eq!(answer["steps"][2]["from_first_p50_ms"], Value::Null);
}

#[tokio::test]
async fn what_makes_no_funnel_is_refused_with_what_would() {
    let app = super::app("product_bad_funnels").await;
    for (question, parameter, detail) in [
        ("steps=page_viewed".to_owned(), "steps", "has 1 steps: 2 to 10 are allowed"),
        (["steps=page_viewed"; 11].join("&"), "steps", "has 11 steps: 2 to 10 are allowed"),
        (
            "steps=page_viewed&steps=page_closed".to_owned(),
            "steps",
            "`page_closed` is not one of the allowed values; did you mean `page_viewed`?",
        ),
        (
            "steps=page_viewed&steps=feature_viewed;chart:eq:a".to_owned(),
            "steps",
            "`chart` is not a field that can be filtered by",
        ),
        ("steps=page_viewed&steps=page_viewed&window=2d".to_owned(), "window", "is longer than the range"),
        (
            "steps=page_viewed&steps=page_viewed&window=0d".to_owned(),
            "window",
            "`0d` is not a length such as `30m`, `12h` or `14d`, of at most 180 days",
        ),
        (
            "steps=page_viewed&steps=page_viewed&filter=colour:eq:red".to_owned(),
            "filter",
            "`colour` is not a field that can be filtered by",
        ),
    ] {
        let (status, problem) = app.ask(&format!("/api/v1/product/funnel?{DAY}&{question}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{question}: {problem}");
        let error = &problem["errors"][0];
        assert_eq!((&error["parameter"], &error["detail"]), (&json!(parameter), &json!(detail)), "{question}");
        assert!(parameter == "window" || !error["allowed"].as_array().unwrap().is_empty(), "{question}: {error}");
    }
    let fields =
        app.ask(&format!("/api/v1/product/funnel?{DAY}&steps=page_viewed&steps=feature_viewed;chart:eq:a")).await.1;
    let allowed = json!(["org_id_hash", "source", "schema_version", "route_pattern", "feature", "surface"]);
    assert_eq!(fields["errors"][0]["allowed"], allowed);
}
