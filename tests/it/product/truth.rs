//! Rollups, single facts, raw rows and a plain count in Rust give the same numbers: for random visits, zones, ranges and
//! filters, around changes of the clock.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::random::{Event, Picked, assert_verified, shown, store_shuffled, users, visits, window, within};
use crate::support::{TestApp, quantile};

/// Around changes of the clock in Europe, in Chile (at midnight) and on Lord Howe Island.
const FIRST_DAYS: [&str; 2] = ["2026-03-26T20:00:00Z", "2026-04-02T10:00:00Z"];
const ZONES: [&str; 5] = ["Europe/Amsterdam", "America/Santiago", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"];

async fn app_with_any(name: &str, random: &mut fastrand::Rng, days: i64) -> (TestApp, Vec<Event>, DateTime<Utc>) {
    let app = super::app(name).await;
    let first: DateTime<Utc> = FIRST_DAYS[random.usize(..2)].parse().unwrap();
    let events = visits(random, first, days, 40, 300);
    store_shuffled(&app, random, &events).await;
    (app, events, first)
}

/// A filter of the question, and which events it lets through.
fn any_filter(random: &mut fastrand::Rng) -> Picked {
    let filters: [Picked; 6] = [
        ("", |_| true),
        ("", |_| true),
        ("&sources=web", |event| event.source == "web"),
        ("&filter=schema_version:ne:v2", |event| event.version != "v2"),
        ("&filter=route_pattern:starts_with:/reports", |event| event.route.starts_with("/reports")),
        ("&filter=surface:is_null|feature:eq:pin", |event| {
            event.word("surface").is_empty() || event.word("feature") == "pin"
        }),
    ];
    filters[random.usize(..filters.len())]
}

/// A table: the event that its rows are made of, what tells them apart, and what is counted.
struct Table {
    path: &'static str,
    name: &'static str,
    fields: &'static [&'static str],
    events: &'static str,
    users: &'static str,
}

const TABLES: [Table; 5] = [
    Table { path: "routes", name: "page_viewed", fields: &["route_pattern"], events: "views", users: "users" },
    Table { path: "features", name: "feature_viewed", fields: &["feature"], events: "views", users: "users" },
    Table {
        path: "filters",
        name: "filter_changed",
        fields: &["view", "filter_key"],
        events: "changes",
        users: "users",
    },
    Table {
        path: "chart-interactions",
        name: "chart_interacted",
        fields: &["chart", "action", "surface"],
        events: "interactions",
        users: "users",
    },
    Table {
        path: "client-errors",
        name: "client_error",
        fields: &["route_pattern", "boundary", "error_class"],
        events: "errors",
        users: "affected_users",
    },
];

#[tokio::test]
async fn tables_are_plain_counts_whatever_they_are_read_from() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (app, events, first) = app_with_any("product_tables", &mut random, 6).await;
    let mut sources = BTreeSet::new();
    for _ in 0..25 {
        let table = &TABLES[random.usize(..TABLES.len())];
        let (from, to) = window(&mut random, first, 6);
        let (filter, passes) = any_filter(&mut random);
        let path = format!(
            "/api/v1/product/{}?datetime_from={}&datetime_to={}&limit=1000&verify=true{filter}",
            table.path,
            shown(from),
            shown(to)
        );
        let answer = app.get(&path).await;
        assert_verified(&answer, &format!("seed {seed}: {path}"));
        sources.insert(answer["meta"]["source"].as_str().unwrap().to_owned());

        let mut wanted: BTreeMap<Vec<&str>, Vec<&Event>> = BTreeMap::new();
        for event in within(&events, from, to) {
            if event.name == table.name && passes(event) {
                wanted.entry(table.fields.iter().map(|field| event.word(field)).collect()).or_default().push(event);
            }
        }
        let rows = answer["items"].as_array().unwrap();
        assert_eq!(rows.len(), wanted.len(), "seed {seed}: {path}");
        assert_eq!(answer["page"]["total"], wanted.len(), "seed {seed}: {path}");
        for row in rows {
            let key: Vec<&str> = table.fields.iter().map(|field| row[*field].as_str().unwrap_or_default()).collect();
            let of_row = &wanted[&key];
            assert_eq!(row[table.events], of_row.len(), "seed {seed}: {path} {row}");
            assert_eq!(row[table.users], users(of_row.iter().copied()), "seed {seed}: {path} {row}");
            if table.path == "filters" {
                let counts: Vec<f64> =
                    of_row.iter().filter_map(|event| event.number("value_count")).map(f64::from).collect();
                let mean = (!counts.is_empty()).then(|| counts.iter().sum::<f64>() / counts.len() as f64);
                assert_eq!(row["value_count_mean"].as_f64(), mean, "seed {seed}: {path} {row}");
            }
        }
    }
    assert!(sources.iter().map(String::as_str).eq(["product_facts", "product_uses_1d"]), "{sources:?}");
}

fn day(time: DateTime<Utc>, zone: Tz) -> NaiveDate {
    time.with_timezone(&zone).date_naive()
}

#[tokio::test]
async fn active_users_are_distinct_users_of_local_days() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (app, events, first) = app_with_any("product_active_users", &mut random, 40).await;
    let mut sources = BTreeSet::new();
    for _ in 0..25 {
        let zone: Tz = ZONES[random.usize(..ZONES.len())].parse().unwrap();
        let (window_name, days) = [("day", 1), ("week", 7), ("month", 30)][random.usize(..3)];
        let level = ["day", "day", "week", "month"][random.usize(..4)];
        let (filter, passes) = any_filter(&mut random);
        let (from, to) = window(&mut random, first, 40);
        let path = format!(
            "/api/v1/product/charts/active-users?datetime_from={}&datetime_to={}&timezone={zone}&aggregation_level={level}&window={window_name}&verify=true{filter}",
            shown(from),
            shown(to)
        );
        let answer = app.get(&path).await;
        assert_verified(&answer, &format!("seed {seed}: {path}"));
        sources.insert(answer["meta"]["source"].as_str().unwrap().to_owned());
        let events: Vec<&Event> = events.iter().filter(|event| event.time < to && passes(event)).collect();
        let last_of_range = day(to - Duration::microseconds(1), zone);
        let starts: Vec<NaiveDate> = answer["xAxis"][0]["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|label| label.as_str().unwrap()[..10].parse().unwrap())
            .collect();
        for (index, start) in starts.iter().enumerate() {
            // The last day of the bucket: the one before the next bucket, or the last of the range.
            let last = starts.get(index + 1).map_or(last_of_range, |next| *next - Days::new(1));
            let of_window: Vec<NaiveDate> = (0..days).map(|back| last - Days::new(back)).collect();
            let active = |day_of: &dyn Fn(NaiveDate) -> bool| {
                users(events.iter().copied().filter(|event| day_of(day(event.time, zone))))
            };
            let wanted = active(&|day| of_window.contains(&day));
            let place = format!("seed {seed}: {path} {start}");
            assert_eq!(answer["series"][0]["data"][index], wanted, "{place}");
            let by_day: u64 = of_window.iter().map(|wanted| active(&|day| day == *wanted)).sum();
            let stickiness = (wanted > 0).then(|| by_day as f64 / days as f64 / wanted as f64);
            match (answer["series"][1]["data"][index].as_f64(), stickiness) {
                (Some(shown), Some(wanted)) => assert!((shown - wanted).abs() < 1e-9, "{place}: {shown} {wanted}"),
                (shown, wanted) => assert_eq!(shown, wanted, "{place}"),
            }
        }
    }
    assert!(sources.iter().map(String::as_str).eq(["product_facts", "product_presence_15m"]), "{sources:?}");
}

/// A session as it is to be counted.
struct Session {
    ended: DateTime<Utc>,
    is_told: bool,
    user: u64,
    measures: [f64; 3],
}

/// The sessions of events, told once more in Rust.
fn sessions(events: &[&Event]) -> Vec<Session> {
    let mut by_id: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events {
        by_id.entry(&event.session).or_default().push(event);
    }
    let mut sessions = Vec::new();
    for (_, mut of_session) in by_id {
        of_session.sort_by_key(|event| event.time);
        let built = |events: &[&Event]| {
            let count = |names: &[&str]| events.iter().filter(|event| names.contains(&event.name)).count() as f64;
            let (first, last) = (events[0], events[events.len() - 1]);
            let duration = (last.time - first.time).num_microseconds().unwrap() as f64 / 1e3;
            let measures = [duration, count(&["page_viewed"]), count(&["filter_changed", "chart_interacted"])];
            Session { ended: last.time, is_told: false, user: first.user, measures }
        };
        match of_session.iter().find(|event| event.name == "session_ended") {
            Some(end) => {
                let Session { measures, user, .. } = built(&of_session);
                let fields = ["duration_ms", "pages_viewed", "interactions"];
                let told = [0, 1, 2].map(|place| end.number(fields[place]).map_or(measures[place], f64::from));
                sessions.push(Session { ended: end.time, is_told: true, user, measures: told });
            }
            None => sessions
                .extend(of_session.chunk_by(|one, next| next.time - one.time <= Duration::minutes(30)).map(built)),
        }
    }
    sessions
}

#[tokio::test]
async fn sessions_are_what_clients_tell_or_events_without_a_long_pause() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (app, events, first) = app_with_any("product_sessions", &mut random, 6).await;
    let bounds = [0_u32, 10_000, 30_000, 60_000, 180_000, 600_000, 1_800_000, 3_600_000, 10_800_000];
    for _ in 0..12 {
        let (from, to) = window(&mut random, first, 6);
        let (filter, passes) = any_filter(&mut random);
        let path = format!(
            "/api/v1/product/sessions?datetime_from={}&datetime_to={}&verify=true&compare=previous_period{filter}",
            shown(from),
            shown(to)
        );
        let answer = app.get(&path).await;
        assert_verified(&answer, &format!("seed {seed}: {path}"));
        for (figures, from, to) in [(&answer, from, to), (&answer["comparison"], from - (to - from), from)] {
            let around = within(&events, from - Duration::days(1), to + Duration::days(1));
            let around: Vec<&Event> = around.into_iter().filter(|event| passes(event)).collect();
            let counted: Vec<Session> =
                sessions(&around).into_iter().filter(|session| from <= session.ended && session.ended < to).collect();
            let place = format!("seed {seed}: {path} from {from}");
            assert_eq!(figures["sessions"], counted.len(), "{place}");
            let told = counted.iter().filter(|session| session.is_told).count();
            assert_eq!(
                (&figures["told_sessions"], &figures["built_sessions"]),
                (&json!(told), &json!(counted.len() - told)),
                "{place}"
            );
            let users: BTreeSet<u64> = counted.iter().map(|session| session.user).collect();
            assert_eq!(figures["users"], users.len(), "{place}");
            for (measure, name) in ["duration_ms", "pages", "interactions"].into_iter().enumerate() {
                let mut values: Vec<f64> = counted.iter().map(|session| session.measures[measure]).collect();
                let spread = &figures[name];
                if values.is_empty() {
                    assert!(spread.as_object().unwrap().values().all(Value::is_null), "{place}: {spread}");
                    continue;
                }
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                for (shown, wanted) in
                    [("mean", mean), ("p50", quantile(&mut values, 0.5)), ("p90", quantile(&mut values, 0.9))]
                {
                    let shown_value = spread[shown].as_f64().unwrap();
                    assert!(
                        (shown_value - wanted).abs() < 1e-6 * wanted.max(1.0),
                        "{place} {name} {shown}: {shown_value} {wanted}"
                    );
                }
            }
            for (index, bin) in figures["histogram"].as_array().unwrap().iter().enumerate() {
                let to = bounds.get(index + 1).map_or(f64::INFINITY, |bound| f64::from(*bound));
                let is_in = |session: &&Session| (f64::from(bounds[index])..to).contains(&session.measures[0]);
                assert_eq!(bin["sessions"], counted.iter().filter(is_in).count(), "{place} {bin}");
            }
        }
    }
}

#[tokio::test]
async fn adoption_is_a_share_of_active_users_and_knows_who_is_new() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (app, events, first) = app_with_any("product_adoption", &mut random, 6).await;
    let mut sources = BTreeSet::new();
    for _ in 0..25 {
        let (from, to) = window(&mut random, first, 6);
        let (filter, source) = [("", None), ("&sources=desktop", Some("desktop"))][random.usize(..2)];
        let passes = |event: &&Event| source.is_none_or(|source| event.source == source);
        let path = format!(
            "/api/v1/product/adoption?datetime_from={}&datetime_to={}&verify=true{filter}",
            shown(from),
            shown(to)
        );
        let answer = app.get(&path).await;
        assert_verified(&answer, &format!("seed {seed}: {path}"));
        sources.insert(answer["meta"]["source"].as_str().unwrap().to_owned());
        let in_range: Vec<&Event> = within(&events, from, to).into_iter().filter(passes).collect();
        let features: BTreeSet<&str> =
            in_range.iter().filter(|event| event.name == "feature_viewed").map(|event| event.word("feature")).collect();
        let rows = answer["items"].as_array().unwrap();
        assert_eq!(rows.len(), features.len(), "seed {seed}: {path}");
        for row in rows {
            let feature = row["feature"].as_str().unwrap_or_default();
            let is_use = |event: &&&Event| event.name == "feature_viewed" && event.word("feature") == feature;
            let of_range: BTreeSet<u64> = in_range.iter().filter(is_use).map(|event| event.user).collect();
            let before: BTreeSet<u64> = events
                .iter()
                .filter(|event| event.time < from)
                .filter(passes)
                .collect::<Vec<_>>()
                .iter()
                .filter(is_use)
                .map(|event| event.user)
                .collect();
            let active = users(in_range.iter().copied());
            let new = of_range.difference(&before).count();
            let wanted =
                json!([of_range.len(), of_range.len() as f64 / active as f64, active, new, of_range.len() - new]);
            let told = json!([
                row["users"],
                row["adoption_rate"],
                row["adoption_rate_denominator"],
                row["new_users"],
                row["returning_users"]
            ]);
            assert_eq!(told, wanted, "seed {seed}: {path} {row}");
            assert_eq!(row["views"], in_range.iter().filter(is_use).count(), "seed {seed}: {path} {row}");
        }
    }
    assert!(sources.iter().map(String::as_str).eq(["product_facts", "product_uses_1d"]), "{sources:?}");
}

#[tokio::test]
async fn paths_are_the_next_pages_of_sessions() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (app, events, first) = app_with_any("product_paths", &mut random, 6).await;
    for _ in 0..20 {
        let (from, to) = window(&mut random, first, 6);
        let route = ["/", "/reports", "/reports/:id", "/nowhere"][random.usize(..4)];
        let top = random.usize(1..5);
        let path = format!(
            "/api/v1/product/paths?route={route}&top={top}&datetime_from={}&datetime_to={}&verify=true",
            shown(from),
            shown(to)
        );
        let answer = app.get(&path).await;
        assert_verified(&answer, &format!("seed {seed}: {path}"));
        let mut pages: BTreeMap<&str, Vec<(DateTime<Utc>, &str)>> = BTreeMap::new();
        for event in within(&events, from, to).into_iter().filter(|event| event.name == "page_viewed") {
            pages.entry(&event.session).or_default().push((event.time, event.route));
        }
        let mut next: BTreeMap<&str, u64> = BTreeMap::new();
        for pages in pages.values_mut() {
            pages.sort_unstable();
            for (place, (_, page)) in pages.iter().enumerate() {
                if *page == route {
                    *next.entry(pages.get(place + 1).map_or("", |(_, page)| page)).or_default() += 1;
                }
            }
        }
        let views: u64 = next.values().sum();
        let exits = next.remove("").unwrap_or_default();
        let mut routes: Vec<(&str, u64)> = next.into_iter().collect();
        routes.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
        let others: u64 = routes.iter().skip(top).map(|(_, views)| views).sum();
        let mut wanted: Vec<Value> =
            routes.iter().take(top).map(|(route, views)| json!(["route", route, views])).collect();
        wanted.extend((others > 0).then(|| json!(["other", null, others])));
        wanted.extend((exits > 0).then(|| json!(["exit", null, exits])));
        let told: Vec<Value> = answer["next"]
            .as_array()
            .unwrap()
            .iter()
            .map(|next| json!([next["kind"], next["route_pattern"], next["views"]]))
            .collect();
        assert_eq!((&answer["views"], told), (&json!(views), wanted), "seed {seed}: {path}");
    }
}
