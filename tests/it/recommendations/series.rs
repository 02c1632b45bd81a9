use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use serde_json::json;

use crate::support::{ChartValues, TestApp, local_bucket, message, recommendation, series, values_of, with};

const PATH: &str =
    "/api/v1/recommendations/charts/series?datetime_from=2026-02-01&datetime_to=2026-02-02&aggregation_level=day";

#[tokio::test]
async fn each_metric_counts_its_own_events() {
    let app = TestApp::start("series_metrics").await;
    app.store(&[
        message("2026-02-01T10:00:00Z", &[]),
        message("2026-02-01T11:00:00Z", &[("gpt", 5, false)]),
        message("2026-02-02T10:00:00Z", &[("gpt", 0, false)]),
        recommendation("Shown", "2026-02-01T10:00:00Z", "gpt"),
        recommendation("Shown", "2026-02-01T10:00:00Z", "rec"),
        recommendation("Accepted", "2026-02-02T10:00:00Z", "gpt"),
        recommendation("Dismissed", "2026-02-02T10:00:00Z", "rec"),
    ])
    .await;
    for (metric, expected) in [
        ("messages", "messages: [2,1]\n"),
        ("assisted_messages", "assisted_messages: [1,0]\n"),
        ("shown", "shown: [2,0]\n"),
        ("accepted", "accepted: [0,1]\n"),
        ("dismissed", "dismissed: [0,1]\n"),
    ] {
        assert_eq!(series(&app.get(&format!("{PATH}&metric={metric}")).await), expected);
    }
    assert_eq!(series(&app.get(PATH).await), "messages: [2,1]\n");
}

#[tokio::test]
async fn a_stack_adds_up_to_the_total() {
    let app = TestApp::start("series_split").await;
    let time = "2026-02-01T10:00:00Z";
    let mut events = Vec::new();
    for (agent, count) in [("a", 4), ("b", 3), ("c", 2), ("d", 1)] {
        events.extend((0..count).map(|_| with(message(time, &[]), json!({"agent_id": agent}))));
    }
    events.push(with(message(time, &[]), json!({"agent_id": null})));
    app.store(&events).await;
    let split = app.get(&format!("{PATH}&split_by=agent&top=2")).await;
    assert_eq!(series(&split), "a: [4,0]\nb: [3,0]\nother: [4,0]\n");
    let all = app.get(&format!("{PATH}&split_by=agent")).await;
    assert_eq!(series(&all), "a: [4,0]\nb: [3,0]\nc: [2,0]\nnone: [1,0]\nd: [1,0]\n");
}

#[tokio::test]
async fn a_message_counts_for_the_source_that_most_of_its_text_came_from() {
    let app = TestApp::start("series_sources").await;
    let time = "2026-02-01T10:00:00Z";
    app.store(&[
        message(time, &[("gpt", 5, false), ("rec", 3, false), ("trie", 3, false)]),
        message(time, &[("gpt", 5, false), ("url", 5, false)]),
        message(time, &[]),
    ])
    .await;
    let chart = app.get(&format!("{PATH}&metric=messages&split_by=source")).await;
    assert_eq!(series(&chart), "none: [1,0]\nautocomplete: [1,0]\ntext-generation: [1,0]\n");
    assert!(chart["meta"]["notes"][0].as_str().unwrap().contains("most of its assisted characters"));
    let chart = app.get(&format!("{PATH}&metric=assisted_messages&split_by=source")).await;
    assert_eq!(series(&chart), "autocomplete: [1,0]\ntext-generation: [1,0]\n");
}

#[tokio::test]
async fn the_groups_of_a_comparison_are_those_of_the_current_period() {
    let app = TestApp::start("series_groups").await;
    app.store(&[
        with(message("2026-02-01T10:00:00Z", &[]), json!({"platform": "zendesk"})),
        with(message("2026-01-30T10:00:00Z", &[]), json!({"platform": "genesys"})),
        with(message("2026-01-31T10:00:00Z", &[]), json!({"platform": "zendesk"})),
    ])
    .await;
    let chart = app.get(&format!("{PATH}&split_by=platform&compare=previous_period")).await;
    assert_eq!(series(&chart), "zendesk: [1,0]\nother: [0,0]\n");
    assert_eq!(crate::support::series_of(&chart["comparison"]["series"]), "zendesk: [0,1]\nother: [1,0]\n");
}

#[tokio::test]
async fn lists_are_ored_within_and_anded_across() {
    let app = TestApp::start("series_lists").await;
    let time = "2026-02-01T10:00:00Z";
    let mut events = Vec::new();
    for profile in ["p", "q", "r"] {
        for platform in ["x", "y"] {
            events.push(with(message(time, &[]), json!({"profile_code": profile, "platform": platform})));
        }
    }
    app.store(&events).await;
    for (filters, expected) in [
        ("profile_codes=p&profile_codes=q", "messages: [4,0]\n"),
        ("profile_codes=p&profile_codes=q&platforms=x", "messages: [2,0]\n"),
        ("filter=profile_code:eq:p|platform:eq:x", "messages: [4,0]\n"),
        ("filter=profile_code:not_in:p,q&filter=platform:ne:y", "messages: [1,0]\n"),
        ("filter=profile_code:starts_with:q", "messages: [2,0]\n"),
        ("filter=profile_code:is_null", "messages: [0,0]\n"),
    ] {
        assert_eq!(series(&app.get(&format!("{PATH}&{filters}")).await), expected, "{filters}");
    }
}

/// Many days begin equally far apart, and the last of them has 25 hours, or 23.
#[tokio::test]
async fn the_last_day_of_a_long_range_is_as_long_as_its_clock_says() {
    let app = TestApp::start("series_changes_of_clock").await;
    let first: DateTime<Utc> = "2025-09-20T00:30:00Z".parse().unwrap();
    let times: Vec<DateTime<Utc>> = (0..24 * 60).map(|hours| first + Duration::hours(hours)).collect();
    let events: Vec<_> = times.iter().map(|time| message(&time.to_rfc3339(), &[])).collect();
    for part in events.chunks(500) {
        app.store(part).await;
    }
    for (zone, last) in [
        ("Europe/Amsterdam", "2025-10-26"),
        ("America/New_York", "2025-11-02"),
        ("Africa/Cairo", "2025-10-30"),
        ("Australia/Lord_Howe", "2025-10-05"),
        ("UTC", "2025-11-02"),
    ] {
        let path = format!(
            "/api/v1/recommendations/charts/series?datetime_from=2025-09-01&datetime_to={last}&aggregation_level=day&timezone={zone}"
        );
        let zone: Tz = zone.parse().unwrap();
        let last = last.to_owned();
        let mut wanted = ChartValues::new();
        for day in times.iter().map(|time| local_bucket(*time, zone, "day")).filter(|day| *day <= last) {
            *wanted.entry(("messages".to_owned(), day)).or_default() += 1.0;
        }
        assert_eq!(values_of(&app.get(&path).await, zone, "day"), wanted, "{zone}");
    }
}
