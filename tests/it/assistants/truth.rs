//! Rollups, raw rows and a plain count in Rust give the same numbers: for random spans, zones, ranges, levels
//! and groups, with the ends of the range anywhere.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use super::spans::Row;
use crate::support::{ChartValues as Values, TestApp, local_bucket, quantile, values_of};

impl Row {
    /// Numerator and denominator of a chart; cost in millionths.
    fn counted(&self, chart: &str) -> (u64, u64) {
        let of_call = |count: u64| if self.is_call() { count } else { 0 };
        match chart {
            "runs?" => (u64::from(self.is_root), 0),
            "error-rate?" => (u64::from(self.is_root && self.is_failed()), u64::from(self.is_root)),
            "tokens?" => (of_call(self.input + self.output), 0),
            "tokens?tokens=cached_input&" => (of_call(self.cached), 0),
            "cost?" => (of_call(self.cost), 0),
            other => panic!("{other}"),
        }
    }
}

/// What the chart shows, told once more in Rust.
fn expected(rows: &[&Row], chart: &str, split: &str, zone: Tz, level: &str) -> Values {
    let mut sums: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for row in rows {
        let key = (row.group(split).to_owned(), local_bucket(row.start, zone, level));
        let sum = sums.entry(key).or_default();
        let (numerator, denominator) = row.counted(chart);
        *sum = (sum.0 + numerator, sum.1 + denominator);
    }
    let value = |(numerator, denominator): (u64, u64)| match chart {
        "error-rate?" => numerator as f64 / denominator as f64,
        "cost?" => numerator as f64 / 1e6,
        _ => numerator as f64,
    };
    let shown = sums.into_iter().filter(|(_, (numerator, _))| *numerator > 0);
    shown.map(|(key, sum)| (key, value(sum))).collect()
}

#[tokio::test]
async fn every_chart_is_a_plain_count_whatever_it_is_read_from() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("assistants_truth").await;
    let rows: Vec<Row> = (0..3_000).map(|_| Row::any(&mut random)).collect();
    let documents: Vec<Value> = rows.iter().enumerate().map(|(index, row)| row.document(index)).collect();
    for part in documents.chunks(1_000) {
        app.store_spans(part).await;
    }
    let zones = ["Europe/Amsterdam", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "UTC"];
    let charts = ["runs?", "error-rate?", "tokens?", "tokens?tokens=cached_input&", "cost?"];
    let splits = ["assistant", "assistant_version", "model", "status", "error_type"];
    let mut sources = BTreeMap::new();
    for _ in 0..100 {
        let zone: Tz = zones[random.usize(..zones.len())].parse().unwrap();
        let level = ["minute", "hour", "hour", "day", "day", "week", "month"][random.usize(..7)];
        let grain = [1, 900, 3_600, 86_400][random.usize(..4)];
        let longest = if level == "minute" { 86_400 } else { 4 * 86_400 };
        let start = random.i64(-4 * 3_600..3 * 86_400) / grain * grain;
        let length = (random.i64(1..longest) / grain).max(1) * grain;
        let from = "2026-03-27T20:00:00Z".parse::<DateTime<Utc>>().unwrap() + Duration::seconds(start);
        let to = from + Duration::seconds(length);
        let assistant = ["", "triage", "answers"][random.usize(..3)];
        let filter = if assistant.is_empty() { String::new() } else { format!("&assistant_codes={assistant}") };
        let in_window = |row: &&Row| from <= row.start && row.start < to;
        let is_asked = |row: &&Row| assistant.is_empty() || row.assistant == assistant;
        let matching: Vec<&Row> = rows.iter().filter(in_window).filter(is_asked).collect();
        let (chart, split) = (charts[random.usize(..5)], splits[random.usize(..5)]);
        let shown = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let path = format!(
            "/api/v1/assistants/charts/{chart}datetime_from={}&datetime_to={}&timezone={zone}&aggregation_level={level}&split_by={split}&top=100{filter}",
            shown(from),
            shown(to)
        );
        let wanted = expected(&matching, chart, split, zone, level);
        // A filter on the name of a span, which filters nothing, is answered from raw rows.
        for path in [format!("{path}&verify=true"), format!("{path}&filter=name:eq:step")] {
            let chart = app.get(&path).await;
            let different = chart.pointer("/meta/verification/different");
            assert!(different.is_none_or(|different| different == 0), "seed {seed}: {path} {}", chart["meta"]);
            *sources.entry(chart["meta"]["source"].as_str().unwrap().to_owned()).or_insert(0) += 1;
            assert_eq!(values_of(&chart, zone, level), wanted, "seed {seed}: {path}");
        }
    }
    let wanted = ["assistant_spans_15m", "assistant_spans_1h", "assistant_totals_1h", "raw"];
    assert!(sources.keys().map(String::as_str).eq(wanted), "{sources:?}");
}

#[tokio::test]
async fn quantiles_are_those_of_the_values_whoever_is_told_apart() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("assistants_quantiles").await;
    let rows: Vec<Row> = (0..1_000).map(|_| Row::any(&mut random)).collect();
    let documents: Vec<Value> = rows.iter().enumerate().map(|(index, row)| row.document(index)).collect();
    app.store_spans(&documents).await;
    let mut sources = BTreeMap::new();
    for _ in 0..60 {
        let split = ["assistant", "assistant_version", "model", "status", "error_type"][random.usize(..5)];
        let top = random.usize(1..4);
        let (name, level) = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)][random.usize(..4)];
        let (chart, is_latency) = [("latency", true), ("time-to-first-token", false)][random.usize(..2)];
        let value = |row: &Row| match is_latency {
            true => row.millis.filter(|_| row.is_root).map(|millis| millis as f64),
            false => row.first_token_millis.filter(|_| row.is_call()).map(f64::from),
        };
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for row in rows.iter().filter(|row| value(row).is_some()) {
            *sizes.entry(row.group(split)).or_default() += 1;
        }
        let name_of = |group: &'static str| if group == "none" { "" } else { group };
        let mut groups: Vec<&'static str> = sizes
            .keys()
            .copied()
            .map(|group| rows.iter().map(|row| row.group(split)).find(|known| *known == group).unwrap())
            .collect();
        groups.sort_by(|one, other| sizes[other].cmp(&sizes[one]).then(name_of(one).cmp(name_of(other))));
        groups.truncate(top);
        let mut values: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
        for row in &rows {
            let group = if groups.contains(&row.group(split)) { row.group(split) } else { "other" };
            let bucket = local_bucket(row.start, Tz::UTC, "day");
            if let Some(value) = value(row) {
                values.entry((group.to_owned(), bucket)).or_default().push(value);
            }
        }
        let wanted: Values = values.into_iter().map(|(key, mut values)| (key, quantile(&mut values, level))).collect();
        // A long range is read from bins; what a rollup does not tell apart, from rows.
        let (range, exactness) = match random.bool() {
            true => ("datetime_from=2026-03-27&datetime_to=2026-03-31", 1e-9),
            false => ("datetime_from=2026-02-20&datetime_to=2026-04-20", 0.01),
        };
        let path = format!(
            "/api/v1/assistants/charts/{chart}?{range}&aggregation_level=day&split_by={split}&top={top}&quantile={name}"
        );
        let answer = app.get(&format!("{path}&verify=true")).await;
        let apart = answer["meta"]["verification"]["largest_difference"].as_f64().unwrap();
        let most = wanted.values().copied().fold(0.0, f64::max) * exactness;
        assert!(apart <= most, "seed {seed}: {path} is {apart} apart");
        let raw = app.get(&format!("{path}&filter=name:eq:step")).await;
        *sources.entry(answer["meta"]["source"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        assert_eq!(raw["meta"]["source"], "raw");
        let shown = values_of(&answer, Tz::UTC, "day");
        assert_eq!(shown, values_of(&raw, Tz::UTC, "day"), "seed {seed}: {path}");
        // A value of 0 is shown as one; `values_of` leaves it out.
        let wanted: Values = wanted.into_iter().filter(|(_, value)| *value > 0.0).collect();
        assert!(shown.keys().eq(wanted.keys()), "seed {seed}: {path}\n{shown:?}\n{wanted:?}");
        for (key, value) in &wanted {
            let difference = (shown[key] - value).abs();
            assert!(difference <= value * exactness, "seed {seed}: {path} {key:?}: {} is not {value}", shown[key]);
        }
    }
    // A split by what the hours do not tell apart is read from single latencies whatever the range.
    let read: Vec<&str> = sources.keys().map(String::as_str).collect();
    assert_eq!(read, ["assistant_latencies", "assistant_latencies_1h"], "{sources:?}");
}

#[tokio::test]
async fn quantiles_of_all_that_ran_are_those_of_the_values() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("assistants_quantiles_of_all").await;
    let rows: Vec<Row> = (0..1_000).map(|_| Row::any(&mut random)).collect();
    let documents: Vec<Value> = rows.iter().enumerate().map(|(index, row)| row.document(index)).collect();
    app.store_spans(&documents).await;
    let mut sources = BTreeMap::new();
    for round in 0..20 {
        let (chart, is_latency) = [("latency", true), ("time-to-first-token", false)][random.usize(..2)];
        // The first two are read from what the last line wants, whatever the others are read from.
        let place = |random: usize| if round < 2 { 0 } else { random };
        let zone: Tz = ["UTC", "Asia/Kathmandu", "America/St_Johns"][place(random.usize(..3))].parse().unwrap();
        let long = if round < 2 { round } else { random.usize(..2) };
        let (from, exactness) = [("2026-03-27T21:37:00Z", 1e-9), ("2026-02-20T21:37:00Z", 0.01)][long];
        let begin: DateTime<Utc> = from.parse().unwrap();
        let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.start >= begin) {
            let value = match is_latency {
                true => row.millis.filter(|_| row.is_root).map(|millis| millis as f64),
                false => row.first_token_millis.filter(|_| row.is_call()).map(f64::from),
            };
            values.entry(local_bucket(row.start, zone, "day")).or_default().extend(value);
        }
        let path = format!(
            "/api/v1/assistants/charts/{chart}?datetime_from={from}&datetime_to=2026-04-20T00:00:00Z&aggregation_level=day&timezone={zone}"
        );
        let answer = app.get(&path).await;
        *sources.entry(answer["meta"]["source"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        let shown = values_of(&answer, zone, "day");
        for (bucket, values) in values.iter_mut().filter(|(_, values)| !values.is_empty()) {
            for (name, level) in [("p50", 0.5), ("p75", 0.75), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)] {
                let wanted = quantile(values, level);
                let shown = shown.get(&(name.to_owned(), bucket.clone())).copied().unwrap_or_default();
                let difference = (shown - wanted).abs();
                assert!(
                    difference <= wanted * exactness,
                    "seed {seed}: {path} {bucket} {name}: {shown} is not {wanted}"
                );
            }
        }
    }
    let read: Vec<&str> = sources.keys().map(String::as_str).collect();
    assert_eq!(read, ["assistant_latencies", "assistant_latency_totals_1h"], "{sources:?}");
}
