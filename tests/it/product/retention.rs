//! Retention: a plain count of who returned, by the local calendar, around changes of the clock.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Duration, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::random::{Event, Picked, assert_verified, shown, store_shuffled, visits, within};
use super::store;

/// The first day of the period that a day lies in.
fn period(day: NaiveDate, of: &str) -> NaiveDate {
    match of {
        "day" => day,
        "week" => day - Days::new(day.weekday().num_days_from_monday().into()),
        _ => day.with_day(1).unwrap(),
    }
}

fn later(period: NaiveDate, of: &str, offset: u64) -> NaiveDate {
    match of {
        "day" => period + Days::new(offset),
        "week" => period + Days::new(7 * offset),
        _ => period + Months::new(offset as u32),
    }
}

const EVENTS: [Picked; 3] = [
    ("page_viewed", |event| event.name == "page_viewed"),
    ("feature_viewed", |event| event.name == "feature_viewed"),
    ("feature_viewed;feature:eq:export", |event| event.name == "feature_viewed" && event.word("feature") == "export"),
];

#[tokio::test]
async fn retention_is_a_plain_count_by_the_local_calendar() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = super::app("product_retention").await;
    let first: DateTime<Utc> = "2026-02-20T20:00:00Z".parse().unwrap();
    let events = visits(&mut random, first, 80, 60, 400);
    store_shuffled(&app, &mut random, &events).await;
    for _ in 0..25 {
        let zone: Tz = ["Europe/Amsterdam", "America/Santiago", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]
            [random.usize(..5)]
        .parse()
        .unwrap();
        let of = ["day", "week", "week", "month"][random.usize(..4)];
        let hours = random.i64(0..70 * 24);
        let from = first + Duration::hours(hours);
        let to = from + Duration::hours(random.i64(24..(82 * 24 - hours).max(25)));
        let ((cohort_event, begins), (return_event, returns)) = (EVENTS[random.usize(..3)], EVENTS[random.usize(..3)]);
        let (is_ever, is_later) = (random.bool(), random.bool());
        let path = format!(
            "/api/v1/product/retention?cohort_event={cohort_event}&return_event={return_event}&period={of}&periods=6&cohort_by={}&returned={}&datetime_from={}&datetime_to={}&timezone={zone}&verify=true",
            if is_ever { "first_ever" } else { "first_in_range" },
            if is_later { "on_or_after" } else { "on" },
            shown(from),
            shown(to),
        );
        let told = format!("seed {seed}: {path}");
        let answer = app.get(&path).await;
        assert_verified(&answer, &told);

        let local = |time: DateTime<Utc>| time.with_timezone(&zone).date_naive();
        let mut cohorts: BTreeMap<NaiveDate, Vec<Vec<NaiveDate>>> = BTreeMap::new();
        for user in 0..60 {
            let mine = |event: &&Event| event.user == user;
            let all = if is_ever {
                events.iter().filter(|event| event.time < to).collect()
            } else {
                within(&events, from, to)
            };
            let began = all.into_iter().filter(mine).filter(|event| begins(event)).map(|event| event.time).min();
            let Some(began) = began.filter(|began| *began >= from) else { continue };
            let returned = within(&events, from, to).into_iter().filter(mine);
            let returned = returned.filter(|event| returns(event) && event.time >= began);
            let returned = returned.map(|event| period(local(event.time), of)).collect();
            cohorts.entry(period(local(began), of)).or_default().push(returned);
        }
        let mut sums = vec![(0_u64, 0_u64, 0_u64); 7];
        for cohort in answer["cohorts"].as_array().unwrap() {
            let start: NaiveDate = cohort["start"].as_str().unwrap()[..10].parse().unwrap();
            let start = period(start, of);
            let nobody = Vec::new();
            let users = cohorts.remove(&start).unwrap_or_default();
            let users = if users.is_empty() { &nobody } else { &users };
            assert_eq!(cohort["users"], users.len(), "{told}: {start}");
            for (offset, cell) in cohort["cells"].as_array().unwrap().iter().enumerate() {
                let wanted = later(start, of, offset as u64);
                let is_complete = later(wanted, of, 1) <= local(to);
                assert_eq!(cell["is_complete"], is_complete, "{told}: {start} {cell}");
                if !is_complete {
                    assert_eq!((&cell["rate"], &cell["rate_numerator"]), (&Value::Null, &Value::Null), "{told}");
                    continue;
                }
                let is_back = |returned: &&Vec<NaiveDate>| {
                    returned.iter().any(|period| if is_later { *period >= wanted } else { *period == wanted })
                };
                let back = users.iter().filter(is_back).count();
                assert_eq!(cell["rate_numerator"], back, "{told}: {start} {cell}");
                sums[offset].0 += 1;
                sums[offset].1 += back as u64;
                sums[offset].2 += users.len() as u64;
            }
        }
        assert!(cohorts.is_empty(), "{told}: {cohorts:?}");
        for (cell, (cohorts, back, users)) in answer["mean"].as_array().unwrap().iter().zip(sums) {
            let rate = json!((users > 0).then(|| back as f64 / users as f64));
            assert_eq!(
                json!([cell["cohorts"], cell["rate_numerator"], cell["rate_denominator"], cell["rate"]]),
                json!([cohorts, back, users, rate]),
                "{told}"
            );
        }
    }
}

#[tokio::test]
async fn a_return_counts_from_the_cohort_event_on() {
    let app = super::app("product_return").await;
    let event = |user: &str, time: &str, name: &str| {
        json!({
            "name": name, "schema_version": "v1", "org_id_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "session_id": format!("session-s0123456789-{user}"), "anonymous_user_id": format!("visitor-v0123456789-{user}"),
            "route_pattern": "/", "occurred_at": time,
        })
    };
    store(
        &app,
        &[
            event("a", "2026-02-02T10:00:00Z", "feature_viewed"),
            event("a", "2026-02-02T11:00:00Z", "page_viewed"),
            event("b", "2026-02-02T11:00:00Z", "page_viewed"),
            event("b", "2026-02-02T11:00:00Z", "feature_viewed"),
            event("b", "2026-02-04T11:00:00Z", "feature_viewed"),
        ],
    )
    .await;
    let path = "/api/v1/product/retention?cohort_event=page_viewed&return_event=feature_viewed&period=day&periods=2&datetime_from=2026-02-02&datetime_to=2026-02-04";
    let answer = app.get(path).await;
    let numerators = |answer: &Value| -> Vec<Value> {
        answer["cohorts"][0]["cells"].as_array().unwrap().iter().map(|cell| cell["rate_numerator"].clone()).collect()
    };
    assert_eq!(numerators(&answer), [json!(1), json!(0), json!(1)]);
    assert_eq!(numerators(&app.get(&format!("{path}&returned=on_or_after")).await), [json!(1), json!(1), json!(1)]);
}
