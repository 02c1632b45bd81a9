//! Rollups, single facts, raw rows and a plain count in Rust give the same numbers: for random calls, zones, ranges,
//! levels, groups and tellers, with the ends of the range anywhere.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::random::{Fact, Told};
use crate::support::{ChartValues, TestApp, local_bucket, quantile, values_of};

/// Around changes of the clock in Europe and on Lord Howe Island.
const FIRST_DAYS: [&str; 2] = ["2026-03-27T20:00:00Z", "2026-04-03T10:00:00Z"];
const ZONES: [&str; 5] = ["Europe/Amsterdam", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "UTC"];
const TELLERS: [&str; 4] = ["auto", "auto", "events", "spans"];

async fn app_with_any(name: &str, random: &mut fastrand::Rng, calls: u64) -> (TestApp, Told, DateTime<Utc>) {
    let app = TestApp::start(name).await;
    let first = FIRST_DAYS[random.usize(..2)].parse().unwrap();
    let told = Told::any(random, first, calls);
    for part in told.events.chunks(1_000) {
        app.store(part).await;
    }
    for part in told.spans.chunks(1_000) {
        app.store_spans(part).await;
    }
    (app, told, first)
}

/// Numerator and denominator that a fact adds to a chart.
fn added(fact: &Fact, chart: &str) -> (u64, u64) {
    let count = u64::from;
    let is_turn = fact.measured == "turn";
    match chart {
        "calls?" => (count(fact.counts_as_call()), 0),
        "containment-rate?" => (
            count(fact.counts_as_call() && fact.call.outcome == "contained"),
            count(fact.counts_as_call() && !fact.call.outcome.is_empty()),
        ),
        "interruption-rate?" => {
            (count(is_turn && fact.interrupted == Some(true)), count(is_turn && fact.interrupted.is_some()))
        }
        "dead-air?" => (count(fact.is_dead_air()), count(fact.measured == "first_audio")),
        "dead-air?share_of=time&" => {
            (if fact.is_dead_air() { fact.micros() } else { 0 }, if fact.is_call() { fact.micros() } else { 0 })
        }
        other => panic!("{other}"),
    }
}

fn expected(facts: &[&Fact], chart: &str, split: &str, zone: Tz, level: &str) -> ChartValues {
    let mut sums: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for fact in facts {
        let sum = sums.entry((fact.group(split).to_owned(), local_bucket(fact.time, zone, level))).or_default();
        let (numerator, denominator) = added(fact, chart);
        *sum = (sum.0 + numerator, sum.1 + denominator);
    }
    let is_count = chart == "calls?";
    // Without a denominator there is no value.
    let shown = sums.into_iter().filter(|(_, sum)| sum.0 > 0 && (is_count || sum.1 > 0));
    shown.map(|(key, sum)| (key, if is_count { sum.0 as f64 } else { sum.0 as f64 / sum.1 as f64 })).collect()
}

/// A range whose ends are anywhere, often on steps of rollups.
fn window(random: &mut fastrand::Rng, first: DateTime<Utc>, longest: i64) -> (DateTime<Utc>, DateTime<Utc>) {
    let grain = [1, 900, 3_600, 86_400][random.usize(..4)];
    let from = first + Duration::seconds(random.i64(-4 * 3_600..3 * 86_400) / grain * grain);
    (from, from + Duration::seconds((random.i64(1..longest) / grain).max(1) * grain))
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[tokio::test]
async fn every_chart_is_a_plain_count_whoever_tells_and_whatever_it_is_read_from() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (app, told, first) = app_with_any("voice_truth", &mut random, 600).await;
    let charts = ["calls?", "containment-rate?", "interruption-rate?", "dead-air?", "dead-air?share_of=time&"];
    let splits =
        ["assistant", "assistant_version", "profile_code", "direction", "told_by", "outcome", "transfer_reason"];
    let mut sources = BTreeSet::new();
    for _ in 0..100 {
        let zone: Tz = ZONES[random.usize(..ZONES.len())].parse().unwrap();
        let level = ["minute", "hour", "hour", "day", "day", "week", "month"][random.usize(..7)];
        let (from, to) = window(&mut random, first, if level == "minute" { 86_400 } else { 4 * 86_400 });
        let (chart, told_by) = (charts[random.usize(..charts.len())], TELLERS[random.usize(..4)]);
        let split = splits[random.usize(..if chart == "calls?" { 7 } else { 5 })];
        let assistant = ["", "reception", "billing"][random.usize(..3)];
        let filter = if assistant.is_empty() { String::new() } else { format!("&assistant_codes={assistant}") };
        let path = format!(
            "/api/v1/voice-agents/charts/{chart}datetime_from={}&datetime_to={}&timezone={zone}&aggregation_level={level}&split_by={split}&top=100&told_by={told_by}{filter}",
            shown(from),
            shown(to)
        );
        let is_asked = |fact: &&Fact| assistant.is_empty() || fact.call.assistant == assistant;
        let facts: Vec<&Fact> = told.counted(from, to, told_by).into_iter().filter(is_asked).collect();
        let wanted = expected(&facts, chart, split, zone, level);
        // A filter that no rollup can tell, and that leaves nothing out, is answered from raw rows.
        for path in [format!("{path}&verify=true"), format!("{path}&filter=conversation_id:ne:nobody")] {
            let answer = app.get(&path).await;
            let different = answer.pointer("/meta/verification/different");
            assert!(different.is_none_or(|different| different == 0), "seed {seed}: {path} {}", answer["meta"]);
            sources.insert(answer["meta"]["source"].as_str().unwrap().to_owned());
            assert_eq!(values_of(&answer, zone, level), wanted, "seed {seed}: {path}");
        }
    }
    assert!(sources.iter().map(String::as_str).eq(["raw", "voice_15m", "voice_1h", "voice_facts"]), "{sources:?}");
}

#[tokio::test]
async fn waits_are_quantiles_of_what_is_told() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (app, told, first) = app_with_any("voice_waits_truth", &mut random, 300).await;
    let stages = ["first_audio", "speech_to_text", "model", "text_to_speech"];
    let mut sources = BTreeSet::new();
    for _ in 0..60 {
        let told_by = TELLERS[random.usize(..4)];
        let split = ["assistant", "direction", "profile_code", ""][random.usize(..4)];
        let (stage, name) = (stages[random.usize(..4)], ["p50", "p95"][random.usize(..2)]);
        let level = if name == "p50" { 0.5 } else { 0.95 };
        let is_long = random.bool();
        let (from, to) = match is_long {
            true => (first - Duration::days(20), first + Duration::days(40)),
            false => window(&mut random, first, 4 * 86_400),
        };
        let zone: Tz = ZONES[random.usize(..ZONES.len())].parse().unwrap();
        let mut values: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
        for fact in told.counted(from, to, told_by) {
            let bucket = local_bucket(fact.time, zone, "day");
            let group = match split {
                "" if stages.contains(&fact.measured) => format!("{}_{name}", fact.measured),
                "" => continue,
                _ if fact.measured != stage => continue,
                _ => fact.group(split).to_owned(),
            };
            values.entry((group, bucket)).or_default().push(fact.millis.unwrap());
        }
        let wanted: ChartValues =
            values.into_iter().map(|(key, mut values)| (key, quantile(&mut values, level))).collect();
        let wanted: ChartValues = wanted.into_iter().filter(|(_, value)| *value > 0.0).collect();
        let split =
            if split.is_empty() { String::new() } else { format!("&split_by={split}&stage={stage}&quantile={name}") };
        let path = format!(
            "/api/v1/voice-agents/charts/response-latency?datetime_from={}&datetime_to={}&timezone={zone}&aggregation_level=day&told_by={told_by}{split}",
            shown(from),
            shown(to)
        );
        let answer = app.get(&format!("{path}&verify=true")).await;
        // Hours do not fit days of zones whose offset is none of whole hours: there, bins are made of raw rows.
        let is_binned = is_long && told_by != "auto";
        let exactness = if is_binned { 0.01 } else { 1e-9 };
        let most = answer["meta"]["verification"]["largest_relative_difference"].as_f64();
        assert!(most.is_none_or(|most| most <= exactness + 1e-9), "seed {seed}: {path}: {}", answer["meta"]);
        sources.insert(answer["meta"]["source"].as_str().unwrap().to_owned());
        let shown: ChartValues = values_of(&answer, zone, "day")
            .into_iter()
            .filter(|((group, _), _)| !split.is_empty() || group.ends_with(name))
            .collect();
        assert!(shown.keys().eq(wanted.keys()), "seed {seed}: {path}\n{shown:?}\n{wanted:?}");
        for (key, value) in &wanted {
            let difference = (shown[key] - value).abs();
            assert!(difference <= value * exactness, "seed {seed}: {path} {key:?}: {} is not {value}", shown[key]);
        }
    }
    assert!(sources.contains("voice_facts") && sources.contains("voice_latencies_1h"), "{sources:?}");
}

/// The cards of a page, told once more in Rust.
fn totals(told: &Told, from: DateTime<Utc>, to: DateTime<Utc>, told_by: &str) -> BTreeMap<&'static str, Value> {
    let facts = told.counted(from, to, told_by);
    let count = |is_counted: &dyn Fn(&Fact) -> bool| facts.iter().filter(|fact| is_counted(fact)).count() as u64;
    let ratio = |part: u64, whole: u64| json!((whole > 0).then(|| part as f64 / whole as f64));
    let micros = |is_counted: &dyn Fn(&Fact) -> bool| -> u64 {
        facts.iter().filter(|fact| is_counted(fact)).map(|fact| fact.micros()).sum()
    };
    let with_outcome = count(&|fact| fact.counts_as_call() && !fact.call.outcome.is_empty());
    let outcome =
        |outcome: &str| ratio(count(&|fact| fact.counts_as_call() && fact.call.outcome == outcome), with_outcome);
    let timed = count(&|fact| fact.is_call() && fact.millis.is_some());
    let call_micros = micros(&|fact| fact.is_call());
    let mut waits: Vec<f64> =
        facts.iter().filter(|fact| fact.measured == "first_audio").filter_map(|fact| fact.millis).collect();
    let mut wait = |level: f64| json!((!waits.is_empty()).then(|| quantile(&mut waits, level)));
    let turns = count(&|fact| fact.measured == "turn");
    let answered = count(&|fact| fact.measured == "first_audio");
    let day = Duration::days(1);
    let has_end = |conversation: &String| {
        told.facts.iter().any(|fact| {
            fact.counts_as_call()
                && fact.conversation.as_ref() == Some(conversation)
                && (told_by == "auto" || fact.teller() == told_by)
                && from - day <= fact.time
                && fact.time < to + day
        })
    };
    let open: BTreeSet<&String> = facts
        .iter()
        .filter(|fact| matches!(fact.measured, "call" | "turn"))
        .filter_map(|fact| fact.conversation.as_ref())
        .filter(|conversation| !has_end(conversation))
        .collect();
    [
        ("calls", json!(count(&Fact::counts_as_call))),
        ("containment_rate", outcome("contained")),
        ("transfer_rate", outcome("transferred")),
        ("abandonment_rate", outcome("abandoned")),
        ("duration_mean", json!((timed > 0).then(|| call_micros as f64 / timed as f64 / 1e3))),
        ("turns", json!(turns)),
        ("first_audio_p50", wait(0.5)),
        ("first_audio_p95", wait(0.95)),
        (
            "interruption_rate",
            ratio(
                count(&|fact| fact.measured == "turn" && fact.interrupted == Some(true)),
                count(&|fact| fact.measured == "turn" && fact.interrupted.is_some()),
            ),
        ),
        ("dead_air_turns", ratio(count(&Fact::is_dead_air), answered)),
        ("dead_air_time", ratio(micros(&Fact::is_dead_air), call_micros)),
        ("calls_without_end", json!(open.len())),
        ("calls_without_outcome", json!(count(&|fact| fact.counts_as_call() && fact.call.outcome.is_empty()))),
        ("turns_without_latency", json!(turns - answered)),
    ]
    .into()
}

fn is_close(shown: &Value, wanted: &Value) -> bool {
    match (shown.as_f64(), wanted.as_f64()) {
        (Some(shown), Some(wanted)) => (shown - wanted).abs() <= 1e-6,
        _ => shown == wanted,
    }
}

#[tokio::test]
async fn totals_are_plain_counts() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (app, told, first) = app_with_any("voice_totals_truth", &mut random, 300).await;
    for _ in 0..20 {
        let (from, to) = window(&mut random, first, 2 * 86_400);
        let told_by = TELLERS[random.usize(..4)];
        let path = format!(
            "/api/v1/voice-agents/totals?datetime_from={}&datetime_to={}&told_by={told_by}",
            shown(from),
            shown(to)
        );
        let (current, earlier) = (totals(&told, from, to, told_by), totals(&told, from - (to - from), from, told_by));
        for path in [format!("{path}&verify=true"), format!("{path}&filter=conversation_id:ne:nobody")] {
            let answer = app.get(&path).await;
            let different = answer.pointer("/meta/verification/different");
            assert!(different.is_none_or(|different| different == 0), "seed {seed}: {path} {}", answer["meta"]);
            let cards = answer["totals"].as_array().unwrap();
            assert_eq!(cards.len(), current.len());
            for card in cards {
                let id = card["id"].as_str().unwrap();
                for (field, wanted) in [("value", &current[id]), ("previous", &earlier[id])] {
                    assert!(is_close(&card[field], wanted), "seed {seed}: {path} {field} of {card}: not {wanted}");
                }
            }
        }
    }
}

#[tokio::test]
async fn tables_have_each_call_once() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (app, told, first) = app_with_any("voice_tables_truth", &mut random, 300).await;
    for _ in 0..15 {
        let (from, to) = window(&mut random, first, 4 * 86_400);
        let told_by = TELLERS[random.usize(..4)];
        let range = format!("datetime_from={}&datetime_to={}&told_by={told_by}", shown(from), shown(to));
        let calls: Vec<&Fact> =
            told.counted(from, to, told_by).into_iter().filter(|fact| fact.counts_as_call()).collect();
        let answer = app.get(&format!("/api/v1/voice-agents/calls?{range}&limit=1000")).await;
        assert_eq!(answer["page"]["total"], calls.len(), "seed {seed}: {range}");
        // The turns of a call are those of a day around the range: what events tell of, when they tell of any.
        let around = |fact: &&Fact| from - Duration::days(1) <= fact.time && fact.time < to + Duration::days(1);
        let mut wanted: Vec<String> = calls
            .iter()
            .map(|call| {
                let of_call = told.facts.iter().filter(around).filter(|fact| {
                    call.conversation.is_some()
                        && fact.conversation == call.conversation
                        && (told_by == "auto" || fact.teller() == told_by)
                });
                let turns: Vec<&Fact> =
                    of_call.filter(|fact| matches!(fact.measured, "turn" | "first_audio")).collect();
                let is_by_events = turns.iter().any(|fact| fact.is_event);
                let turns: Vec<&&Fact> = turns.iter().filter(|fact| fact.is_event == is_by_events).collect();
                let mut waits: Vec<f64> = turns.iter().filter_map(|fact| fact.millis).collect();
                let p50 = (!waits.is_empty()).then(|| quantile(&mut waits, 0.5).round());
                let count = |is_counted: &dyn Fn(&Fact) -> bool| turns.iter().filter(|fact| is_counted(fact)).count();
                let (number, interrupted) =
                    (count(&|fact| fact.measured == "turn"), count(&|fact| fact.interrupted == Some(true)));
                let millis = call.millis.map(f64::round);
                format!("{} {:?} {number} {interrupted} {p50:?} {}", call.teller(), millis, count(&Fact::is_dead_air))
            })
            .collect();
        let told_of = |call: &Value| {
            let number = |name: &str| call[name].as_f64().map(f64::round);
            format!(
                "{} {:?} {} {} {:?} {}",
                call["told_by"].as_str().unwrap(),
                number("duration_ms"),
                call["turns"],
                call["interrupted_turns"],
                number("first_audio_p50_ms"),
                call["dead_air_turns"]
            )
        };
        let mut shown: Vec<String> = answer["items"].as_array().unwrap().iter().map(told_of).collect();
        shown.sort();
        wanted.sort();
        assert_eq!(shown, wanted, "seed {seed}: {range}");

        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for call in calls.iter().filter(|call| call.call.outcome == "transferred") {
            *reasons.entry(call.call.reason).or_default() += 1;
        }
        let answer = app.get(&format!("/api/v1/voice-agents/transfer-reasons?{range}")).await;
        let rows = answer["items"].as_array().unwrap();
        let shown: BTreeMap<&str, u64> = rows
            .iter()
            .map(|row| (row["transfer_reason"].as_str().unwrap_or_default(), row["calls"].as_u64().unwrap()))
            .collect();
        assert_eq!(shown, reasons, "seed {seed}: {range}");
        assert!(
            rows.iter().all(|row| row["share_denominator"] == reasons.values().sum::<u64>()),
            "seed {seed}: {range}"
        );
    }
}
