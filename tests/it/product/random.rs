//! Usage of the product at random: visits of a few users, with pauses on both sides of half an hour, events of the same
//! instant, and ends that are told or not.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::store;
use crate::support::TestApp;

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    pub time: DateTime<Utc>,
    pub name: &'static str,
    pub user: u64,
    pub session: String,
    pub organisation: u64,
    pub source: &'static str,
    pub version: &'static str,
    pub route: &'static str,
    /// The fields of the payload that are words.
    pub words: Vec<(&'static str, &'static str)>,
    /// Those that are numbers.
    pub numbers: Vec<(&'static str, u32)>,
}

/// Events as a question names them, and which those are.
pub type Picked = (&'static str, fn(&Event) -> bool);

impl Event {
    /// A word of its payload; empty where there is none.
    pub fn word(&self, field: &str) -> &'static str {
        match field {
            "route_pattern" => self.route,
            "source" => self.source,
            "schema_version" => self.version,
            _ => self.words.iter().find(|(name, _)| *name == field).map_or("", |(_, word)| word),
        }
    }

    pub fn number(&self, field: &str) -> Option<u32> {
        self.numbers.iter().find(|(name, _)| *name == field).map(|(_, number)| *number)
    }

    pub fn organisation_hash(&self) -> String {
        format!("{:064x}", 0xa11ce + self.organisation)
    }

    fn document(&self, id: Uuid) -> Value {
        let words = self.words.iter().map(|(name, word)| ((*name).to_owned(), json!(word)));
        let numbers = self.numbers.iter().map(|(name, number)| ((*name).to_owned(), json!(number)));
        json!({
            "event_id": id, "name": self.name, "schema_version": self.version, "org_id_hash": self.organisation_hash(),
            "session_id": self.session, "anonymous_user_id": format!("visitor-u{:015x}", self.user), "route_pattern": self.route,
            "occurred_at": self.time.to_rfc3339_opts(SecondsFormat::Micros, true), "source": self.source,
            "payload": serde_json::Map::from_iter(words.chain(numbers)),
        })
    }
}

fn any<T: Copy>(random: &mut fastrand::Rng, of: &[T]) -> T {
    of[random.usize(..of.len())]
}

/// Visits within some days of a beginning.
pub fn visits(random: &mut fastrand::Rng, first: DateTime<Utc>, days: i64, users: u64, sessions: u64) -> Vec<Event> {
    let mut events = Vec::new();
    for number in 0..sessions {
        let (user, session) = (random.u64(..users), format!("session-s{number:015x}"));
        let (source, version) = (any(random, &["web", "web", "desktop"]), any(random, &["v1", "v2"]));
        let micros = random.i64(0..days * 86_400_000_000);
        // Often exactly on a step, where an interval that is not half-open shows itself.
        let micros = if random.bool() { micros / 900_000_000 * 900_000_000 } else { micros };
        let mut time = first + Duration::microseconds(micros);
        let is_told = random.u8(..10) < 6;
        for _ in 0..random.u64(1..12) {
            events.push(event(random, time, user, &session, source, version));
            let pause = any(random, &[0, 0, 1, 45_000_000, 400_000_000, 1_800_000_000, 1_800_000_001, 2_700_000_000]);
            time += Duration::microseconds(pause);
        }
        if is_told {
            let mut ended = Event {
                name: "session_ended",
                words: Vec::new(),
                ..event(random, time, user, &session, source, version)
            };
            let of =
                |random: &mut fastrand::Rng, field, most| (random.u8(..5) > 0).then(|| (field, random.u32(..most)));
            ended.numbers =
                [of(random, "duration_ms", 4_000_000), of(random, "pages_viewed", 12), of(random, "interactions", 20)]
                    .into_iter()
                    .flatten()
                    .collect();
            events.push(ended);
        }
    }
    events
}

fn event(
    random: &mut fastrand::Rng,
    time: DateTime<Utc>,
    user: u64,
    session: &str,
    source: &'static str,
    version: &'static str,
) -> Event {
    let name = any(
        random,
        &["page_viewed", "page_viewed", "feature_viewed", "filter_changed", "chart_interacted", "client_error"],
    );
    let fields: &[(&'static str, &[&'static str])] = match name {
        "feature_viewed" => &[("feature", &["export", "share", "pin"]), ("surface", &["sidebar", "menu"])],
        "filter_changed" => &[("view", &["calls", "agents"]), ("filter_key", &["team", "range"])],
        "chart_interacted" => {
            &[("chart", &["volume", "handling"]), ("action", &["zoom", "hover"]), ("surface", &["report", "menu"])]
        }
        "client_error" => &[("boundary", &["page", "chart"]), ("error_class", &["TypeError", "Timeout"])],
        _ => &[("previous_route_pattern", &["/", "/login"])],
    };
    // Any field may be missing.
    let mut words = Vec::new();
    for (field, choices) in fields {
        if random.u8(..6) > 0 {
            words.push((*field, any(random, choices)));
        }
    }
    let numbers = match name {
        "filter_changed" if random.u8(..4) > 0 => vec![("value_count", random.u32(..6))],
        _ => Vec::new(),
    };
    Event {
        time,
        name,
        user,
        session: session.to_owned(),
        organisation: user % 3,
        source,
        version,
        route: any(random, &["/", "/reports", "/reports/:id", "/settings"]),
        words,
        numbers,
    }
}

/// Stores events out of their order, in parts, and some of them twice.
pub async fn store_shuffled(app: &TestApp, random: &mut fastrand::Rng, events: &[Event]) {
    let mut documents: Vec<Value> =
        events.iter().map(|event| event.document(Uuid::from_u128(random.u128(..)))).collect();
    for _ in 0..documents.len() / 10 {
        documents.push(documents[random.usize(..events.len())].clone());
    }
    random.shuffle(&mut documents);
    for part in documents.chunks(documents.len() / 3 + 1) {
        store(app, part).await;
    }
}

/// Different users.
pub fn users<'e>(events: impl IntoIterator<Item = &'e Event>) -> u64 {
    events.into_iter().map(|event| event.user).collect::<BTreeSet<u64>>().len() as u64
}

/// The events between two instants.
pub fn within(events: &[Event], from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<&Event> {
    events.iter().filter(|event| from <= event.time && event.time < to).collect()
}

/// A range whose ends are anywhere, often on steps of rollups.
pub fn window(random: &mut fastrand::Rng, first: DateTime<Utc>, days: i64) -> (DateTime<Utc>, DateTime<Utc>) {
    let grain = [1, 900, 3_600, 86_400][random.usize(..4)];
    let midnight = first - Duration::seconds(first.timestamp().rem_euclid(86_400));
    let from = midnight + Duration::seconds(random.i64(-4 * 3_600..days * 86_400) / grain * grain);
    (from, from + Duration::seconds((random.i64(1..days * 86_400) / grain).max(1) * grain))
}

pub fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Whether an answer that was asked for with `verify=true` is the same from raw rows.
#[track_caller]
pub fn assert_verified(answer: &Value, told: &str) {
    let verification = &answer["meta"]["verification"];
    let largest = verification["largest_difference"].as_f64().unwrap();
    // Means are added up in another order.
    assert!(verification["different"] == 0 || largest < 1e-6, "{told}: {verification}");
}
