//! Rollups, raw rows and a plain count in Rust give the same numbers: for random rows, zones, ranges,
//! levels and filters, with the ends of the range anywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use chartwell::auth::{Grants, Principal, Reader};
use chartwell::clickhouse::Freshness;
use chartwell::config::Retention;
use chartwell::domains::recommendations::RecommendationsService;
use chartwell::query::Parameters;
use chartwell::repository::Repository;
use chartwell::service::Service;
use chrono::{DateTime, Datelike, Duration, SecondsFormat, Timelike, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::support::{TestApp, local_bucket, series};

const PROFILES: [Option<&str>; 3] = [Some("p"), Some("q"), None];
const PLATFORMS: [Option<&str>; 3] = [Some("x"), Some("y"), None];
const SOURCES: [&str; 6] = ["gpt", "rec", "trie", "text_recommendation", "url", "odd"];
const AGENTS: usize = 5;

/// A row, as this test counts it.
#[derive(Clone)]
struct Row {
    time: DateTime<Utc>,
    kind: &'static str,
    profile: Option<&'static str>,
    platform: Option<&'static str>,
    agent: usize,
    text_length: u64,
    source: &'static str,
    suggestions: Vec<(&'static str, u64)>,
}

fn category(source: &str) -> &str {
    match source {
        "gpt" => "text-generation",
        "rec" | "trie" => "autocomplete",
        "text_recommendation" => "reply-suggestion",
        "url" => "url-suggestion",
        other => other,
    }
}

/// Three days of rows around the change of the clock in Europe, dense enough to hit every step.
fn rows(random: &mut fastrand::Rng, count: usize) -> Vec<Row> {
    let start: DateTime<Utc> = "2026-03-27T20:00:00Z".parse().unwrap();
    (0..count)
        .map(|_| {
            let kinds = [
                "Send Message",
                "Send Message",
                "Recommendation Shown",
                "Recommendation Accepted",
                "Recommendation Dismissed",
                "Other",
            ];
            // Often exactly on a step, where an interval that is not half-open shows itself.
            let micros = random.i64(0..3 * 86_400_000_000);
            let micros = if random.bool() { micros / 900_000_000 * 900_000_000 } else { micros };
            Row {
                time: start + Duration::microseconds(micros),
                kind: kinds[random.usize(..kinds.len())],
                profile: PROFILES[random.usize(..3)],
                platform: PLATFORMS[random.usize(..3)],
                agent: random.usize(..AGENTS),
                text_length: random.u64(..300),
                source: SOURCES[random.usize(..SOURCES.len())],
                suggestions: (0..random.usize(..4))
                    .map(|_| (SOURCES[random.usize(..SOURCES.len())], random.u64(..4) * 10))
                    .collect(),
            }
        })
        .collect()
}

fn document(row: &Row) -> Value {
    let suggestions: Vec<Value> =
        row.suggestions.iter().map(|(source, length)| json!({"source": source, "len_text": length})).collect();
    let data = match row.kind {
        "Send Message" => json!({"text_length": row.text_length, "suggestions": suggestions}),
        _ => json!({"source": row.source}),
    };
    json!({
        "event": row.kind, "time_utc": row.time.to_rfc3339_opts(SecondsFormat::Micros, true), "profile_code": row.profile,
        "platform": row.platform, "agent_id": format!("a{}", row.agent), "data": data,
    })
}

/// Values by series and bucket.
type Counts = BTreeMap<String, BTreeMap<String, u64>>;

fn add(counts: &mut Counts, series: &str, bucket: &str, value: u64) {
    if value > 0 {
        *counts.entry(series.to_owned()).or_default().entry(bucket.to_owned()).or_default() += value;
    }
}

fn counts_of(chart: &Value, zone: Tz, level: &str) -> Counts {
    let axis: Vec<String> = chart["xAxis"][0]["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|label| local_bucket(DateTime::parse_from_rfc3339(label.as_str().unwrap()).unwrap().to_utc(), zone, level))
        .collect();
    let mut counts = Counts::new();
    for series in chart["series"].as_array().unwrap() {
        for (bucket, value) in axis.iter().zip(series["data"].as_array().unwrap()) {
            add(&mut counts, series["id"].as_str().unwrap(), bucket, value.as_u64().unwrap());
        }
    }
    counts
}

/// What the charts count, told once more in Rust.
fn expected(rows: &[&Row], metric: &str, zone: Tz, level: &str) -> Counts {
    let mut counts = Counts::new();
    for row in rows {
        let bucket = local_bucket(row.time, zone, level);
        let mut by_category: BTreeMap<&str, u64> = BTreeMap::new();
        for (source, length) in &row.suggestions {
            *by_category.entry(category(source)).or_default() += length;
        }
        let dominant =
            by_category.iter().filter(|(_, length)| **length > 0).max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        match (metric, row.kind) {
            ("assisted_text", "Send Message") if row.profile.is_some() => {
                by_category.iter().for_each(|(category, length)| add(&mut counts, category, &bucket, *length));
            }
            ("messages", "Send Message") => {
                add(&mut counts, dominant.map_or("none", |(category, _)| category), &bucket, 1);
            }
            ("assisted_messages", "Send Message") => {
                if let Some((category, _)) = dominant {
                    add(&mut counts, category, &bucket, 1);
                }
            }
            ("shown", "Recommendation Shown")
            | ("accepted", "Recommendation Accepted")
            | ("dismissed", "Recommendation Dismissed") => {
                add(&mut counts, category(row.source), &bucket, 1);
            }
            _ => {}
        }
    }
    counts
}

#[tokio::test]
async fn every_chart_is_a_plain_count_whatever_it_is_read_from() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("truth_charts").await;
    let rows = rows(&mut random, 4_000);
    for part in rows.chunks(1_000) {
        app.store(&part.iter().map(document).collect::<Vec<_>>()).await;
    }
    let zones: Vec<Tz> = chrono_tz::TZ_VARIANTS.to_vec();
    let special = [
        "Europe/Amsterdam",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Pacific/Chatham",
        "America/St_Johns",
        "Asia/Beirut",
        "UTC",
    ];
    let mut sources = BTreeMap::new();
    for round in 0..150 {
        let zone = if round % 2 == 0 {
            special[random.usize(..special.len())].parse().unwrap()
        } else {
            zones[random.usize(..zones.len())]
        };
        let level = ["minute", "hour", "hour", "day", "day", "week", "month"][random.usize(..7)];
        let grain = [1, 900, 3_600, 86_400][random.usize(..4)];
        let start = random.i64(-4 * 3_600..3 * 86_400) / grain * grain;
        let longest = if level == "minute" { 86_400 } else { 4 * 86_400 };
        let length = (random.i64(1..longest) / grain).max(1) * grain;
        let from = "2026-03-27T20:00:00Z".parse::<DateTime<Utc>>().unwrap() + Duration::seconds(start);
        let (from, to) = (from, from + Duration::seconds(length));
        let (profile, platform) = (PROFILES[random.usize(..3)], PLATFORMS[random.usize(..3)]);
        let mut filters = String::new();
        if let Some(profile) = profile {
            filters += &format!("&profile_codes={profile}");
        }
        if let Some(platform) = platform {
            filters += &format!("&filter=platform:ne:{platform}");
        }
        let matching: Vec<&Row> = rows
            .iter()
            .filter(|row| from <= row.time && row.time < to)
            .filter(|row| profile.is_none_or(|profile| row.profile == Some(profile)))
            .filter(|row| platform.is_none_or(|platform| row.platform != Some(platform)))
            .collect();
        let range = format!(
            "datetime_from={}&datetime_to={}&timezone={zone}&aggregation_level={level}{filters}",
            from.to_rfc3339_opts(SecondsFormat::Secs, true),
            to.to_rfc3339_opts(SecondsFormat::Secs, true)
        );
        // A filter on the agents reads another rollup or raw rows, and filters nothing.
        let raw = "&filter=agent_email:is_null";
        let metric =
            ["assisted_text", "messages", "assisted_messages", "shown", "accepted", "dismissed"][random.usize(..6)];
        let path = match metric {
            "assisted_text" => format!("/api/v1/recommendations/charts/assisted-text-per-source?{range}"),
            metric => format!("/api/v1/recommendations/charts/series?metric={metric}&split_by=source&top=100&{range}"),
        };
        let wanted = expected(&matching, metric, zone, level);
        for path in [path.clone(), format!("{path}{raw}")] {
            let chart = app.get(&path).await;
            *sources.entry(chart["meta"]["source"].as_str().unwrap().to_owned()).or_insert(0) += 1;
            assert_eq!(counts_of(&chart, zone, level), wanted, "seed {seed}: {path}\n{}", series(&chart));
        }
    }
    assert!(sources.keys().map(String::as_str).eq(["raw", "recommendations_15m", "recommendations_1h"]), "{sources:?}");
}

#[tokio::test]
async fn totals_rates_agents_and_funnel_are_plain_counts_whatever_they_are_read_from() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("truth_tables").await;
    let rows = rows(&mut random, 3_000);
    for part in rows.chunks(1_000) {
        app.store(&part.iter().map(document).collect::<Vec<_>>()).await;
    }
    for _ in 0..25 {
        let from =
            "2026-03-27T20:00:00Z".parse::<DateTime<Utc>>().unwrap() + Duration::seconds(random.i64(0..2 * 86_400));
        let to = from + Duration::seconds(random.i64(60..2 * 86_400));
        let matching: Vec<&Row> = rows.iter().filter(|row| from <= row.time && row.time < to).collect();
        let range = format!(
            "datetime_from={}&datetime_to={}",
            from.to_rfc3339_opts(SecondsFormat::Secs, true),
            to.to_rfc3339_opts(SecondsFormat::Secs, true)
        );
        let count = |kind: &str| matching.iter().filter(|row| row.kind == kind).count() as u64;
        let sent: Vec<&&Row> =
            matching.iter().filter(|row| row.kind == "Send Message" && row.profile.is_some()).collect();
        let sent_characters: u64 = sent.iter().map(|row| row.text_length).sum();
        let assisted: u64 = sent.iter().flat_map(|row| &row.suggestions).map(|(_, length)| length).sum();
        let agents: std::collections::BTreeSet<usize> =
            matching.iter().filter(|row| row.kind != "Other").map(|row| row.agent).collect();
        let ratio = |numerator: u64, denominator: u64| {
            if denominator == 0 { Value::Null } else { json!(numerator as f64 / denominator as f64) }
        };
        let wanted = json!({
            "messages": count("Send Message"), "sent_characters": sent_characters, "assisted_characters": assisted,
            "assisted_share": ratio(assisted, sent_characters), "shown": count("Recommendation Shown"), "accepted": count("Recommendation Accepted"),
            "dismissed": count("Recommendation Dismissed"), "acceptance_rate": ratio(count("Recommendation Accepted"), count("Recommendation Shown")),
            "active_agents": agents.len(),
        });
        for raw in ["", "&filter=visitor_id:is_null"] {
            let totals = app.get(&format!("/api/v1/recommendations/totals?{range}{raw}")).await;
            for card in totals["totals"].as_array().unwrap() {
                let id = card["id"].as_str().unwrap();
                if let Some(value) = wanted.get(id) {
                    assert!(
                        is_close(&card["value"], value),
                        "seed {seed}: {id} {} {value} {range}{raw}",
                        card["value"]
                    );
                }
            }
            let table = app.get(&format!("/api/v1/recommendations/agents?{range}&sort=agent_id{raw}")).await;
            assert_eq!(table["page"]["total"], agents.len(), "seed {seed}: {range}{raw}");
            for agent in table["items"].as_array().unwrap() {
                let own: Vec<&&&Row> =
                    sent.iter().filter(|row| agent["agent_id"] == format!("a{}", row.agent)).collect();
                let saved: u64 = own.iter().flat_map(|row| &row.suggestions).map(|(_, length)| length).sum();
                assert_eq!(agent["characters_saved"], saved, "seed {seed}: {range}{raw}");
                let share = ratio(saved, own.iter().map(|row| row.text_length).sum());
                assert!(is_close(&agent["assisted_share"], &share), "seed {seed}: {range}{raw}");
            }
            let funnel = app.get(&format!("/api/v1/recommendations/funnel?{range}{raw}")).await;
            let steps = |step: &str| {
                funnel["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|row| row["step"] == step)
                    .map(|row| row["count"].as_u64().unwrap())
                    .sum::<u64>()
            };
            let used = matching
                .iter()
                .filter(|row| row.kind == "Send Message")
                .flat_map(|row| &row.suggestions)
                .filter(|(_, length)| *length > 0)
                .count() as u64;
            assert_eq!(
                (steps("shown"), steps("accepted")),
                (count("Recommendation Shown"), count("Recommendation Accepted")),
                "seed {seed}: {range}{raw}"
            );
            assert_eq!(steps("sent_unedited") + steps("sent_edited"), used, "seed {seed}: {range}{raw}");
        }
    }
}

#[tokio::test]
async fn groups_are_the_same_whoever_ranks_them() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("truth_ranking").await;
    let rows = rows(&mut random, 1_000);
    app.store(&rows.iter().map(document).collect::<Vec<_>>()).await;
    let account = crate::support::account("truth_ranking");
    let service = |rank_from: Option<u64>| {
        let freshness = Arc::new(Freshness::new(app.clickhouse.clone()));
        let service = Service::new(Arc::new(Repository::new(app.clickhouse.clone(), freshness)), Retention::of_all(0));
        RecommendationsService::new(Arc::new(match rank_from {
            Some(rows) => service.ranking_from(rows),
            None => service,
        }))
    };
    let principal = Principal {
        subject: "t".to_owned(),
        account: account.clone(),
        scopes: vec![],
        grants: Grants::default(),
        requests_per_minute: None,
    };
    let reader = Reader::new(Arc::new(principal), "ranking".into());
    let (here, there) = (service(None), service(Some(0)));
    for split in ["source", "agent", "platform", "profile_code"] {
        for top in [1, 2, 3, 100] {
            let query = format!(
                "datetime_from=2026-03-28&datetime_to=2026-03-29&aggregation_level=hour&split_by={split}&top={top}&compare=previous_period"
            );
            for metric in ["messages", "shown"] {
                let question = Parameters::read(&format!("{query}&metric={metric}")).unwrap();
                let (here, there) =
                    (here.series(&reader, &question).await.unwrap(), there.series(&reader, &question).await.unwrap());
                assert_eq!(
                    (json!(here.series), json!(here.comparison)),
                    (json!(there.series), json!(there.comparison)),
                    "seed {seed}: {query}"
                );
            }
            let question = Parameters::read(&query).unwrap();
            let (here, there) = (
                here.acceptance_rate(&reader, &question).await.unwrap(),
                there.acceptance_rate(&reader, &question).await.unwrap(),
            );
            assert_eq!(
                (json!(here.series), json!(here.comparison)),
                (json!(there.series), json!(there.comparison)),
                "seed {seed}: {query}"
            );
        }
    }
}

/// The same value, but for the last digit of a fraction, which reading JSON may change.
fn is_close(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-12 * other.abs(),
        _ => one == other,
    }
}

#[test]
fn the_buckets_of_this_test_are_those_of_the_local_clock() {
    let time: DateTime<Utc> = "2026-10-25T00:30:00Z".parse().unwrap();
    let zone: Tz = "Europe/Amsterdam".parse().unwrap();
    assert_eq!((time.with_timezone(&zone).hour(), time.with_timezone(&zone).day()), (2, 25));
    assert_ne!(local_bucket(time, zone, "hour"), local_bucket(time + Duration::hours(1), zone, "hour"));
}
