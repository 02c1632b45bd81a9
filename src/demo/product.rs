//! How the product is used in the demo: by two thousand users, on workdays mostly.
//!
//! Their story: users join and leave; one feature is launched, and spreads; and one release is bad: for a day and a
//! half charts break for many, who then go.

use chrono::{DateTime, Duration, Utc, Weekday};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::chance::{around, of_hour};
use super::people::pick;
use super::plot::Plot;
use super::rhythm::{self, Slot};
use crate::json::{Object, Text};
use crate::rows::ProductEvent;

/// To a thousand events of agents, so many sessions, each of about ten events.
const SESSIONS: u64 = 60;
const USERS: u64 = 2_000;
const ORGANISATIONS: u64 = 40;
/// Users who had joined before the story begins.
const THERE_BEFORE: f64 = 0.6;
/// Users who leave in its course.
const LEAVING: f64 = 0.25;
/// Sessions whose end the client tells.
const TOLD: f64 = 0.85;
/// Charts that break after the bad release.
const BROKEN: f64 = 0.35;
/// The feature that is launched.
pub const LAUNCHED: &str = "call-summary";

/// Pages: the route, how often it is gone to, and what is there.
const PAGES: [(&str, f64, Kind); 9] = [
    ("/", 0.10, Kind::Plain),
    ("/conversations", 0.22, Kind::List("conversations")),
    ("/conversations/:id", 0.24, Kind::Plain),
    ("/agents", 0.09, Kind::List("agents")),
    ("/agents/:id", 0.07, Kind::Chart("agent-load")),
    ("/reports", 0.10, Kind::List("reports")),
    ("/reports/:id", 0.11, Kind::Chart("handling-time")),
    ("/quality", 0.04, Kind::Chart("quality-score")),
    ("/settings/:section", 0.03, Kind::Plain),
];
const FILTERS: [(&str, f64); 5] =
    [("team", 0.34), ("date-range", 0.30), ("channel", 0.18), ("outcome", 0.12), ("language", 0.06)];
const ACTIONS: [(&str, f64); 4] = [("hover", 0.5), ("zoom", 0.2), ("legend", 0.2), ("export", 0.1)];
const FEATURES: [(&str, f64); 5] = [
    ("saved-views", 0.34),
    ("compare-periods", 0.24),
    ("export", 0.20),
    ("coaching-notes", 0.14),
    ("share-report", 0.08),
];
const ERRORS: [(&str, f64); 3] = [("NetworkError", 0.6), ("TypeError", 0.3), ("QuotaExceededError", 0.1)];

/// What there is to do on a page.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    /// A view whose rows can be filtered.
    List(&'static str),
    Chart(&'static str),
}

/// The story of the product, or how it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProductStory {
    pub seed: u64,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub sessions: u64,
    pub plot: Plot,
}

/// A user: what is always the same about one.
struct User {
    id: String,
    organisation: String,
    source: &'static str,
    there: std::ops::Range<DateTime<Utc>>,
    /// When the launched feature was found.
    finds_it: DateTime<Utc>,
}

impl ProductStory {
    /// The days before `now`, in a centre whose agents have made so many events since then.
    pub fn new(seed: u64, events: u64, from: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self { seed, from, to: now, sessions: events * SESSIONS / 1_000, plot: Plot { from, to: now } }
    }

    /// What has happened since, at the same pace.
    pub fn continued(&self, now: DateTime<Utc>) -> Self {
        let sessions = rhythm::as_many(self.sessions, (self.from, self.to), (self.to, now));
        Self { from: self.to, to: now, sessions, ..*self }
    }

    /// This, and what came after it, told as one.
    pub fn with(&self, since: &Self) -> Self {
        Self { to: since.to, sessions: self.sessions + since.sessions, ..*self }
    }

    /// All events, hour by hour, with how many sessions they are of.
    pub fn events(&self) -> impl Iterator<Item = (u64, Vec<ProductEvent<'static>>)> {
        let story = *self;
        let users: Vec<User> = (0..USERS).map(|number| story.user(number)).collect();
        let slots = rhythm::slots(self.from, self.to, self.sessions, |_| 1.0);
        slots.into_iter().map(move |slot| (slot.events, story.events_of(&slot, &users)))
    }

    /// When the feature is launched.
    fn launch(&self) -> DateTime<Utc> {
        self.plot.day(Weekday::Mon, 35) + Duration::hours(8)
    }

    /// While the bad release is out.
    fn bad_release(&self) -> std::ops::Range<DateTime<Utc>> {
        let out = self.plot.day(Weekday::Wed, 9) + Duration::hours(9);
        out..out + Duration::hours(36)
    }

    fn user(&self, number: u64) -> User {
        let mut random = fastrand::Rng::with_seed(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let joined = if random.f64() < THERE_BEFORE { 0.0 } else { random.f64() };
        let left = if random.f64() < LEAVING { joined + (1.0 - joined) * random.f64() } else { 100.0 };
        let organisation = number % ORGANISATIONS;
        User {
            id: format!("demo-user-{:016x}", random.u64(..)),
            organisation: format!(
                "{:064x}",
                u128::from(organisation + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
            ),
            source: if random.f64() < 0.2 { "desktop" } else { "web" },
            there: self.plot.at(joined)..self.plot.at(left),
            // Half find it within three weeks, some never.
            finds_it: self.launch() + Duration::hours((24.0 * 21.0 * around(&mut random, 1.0, 0.9)) as i64),
        }
    }

    fn events_of(&self, slot: &Slot, users: &[User]) -> Vec<ProductEvent<'static>> {
        let mut random = of_hour(self.seed, 3, slot.from);
        let length_us = (slot.to - slot.from).num_microseconds().unwrap_or(1) as f64;
        let mut events = Vec::new();
        for _ in 0..slot.events {
            let time = slot.from + Duration::microseconds((random.f64() * length_us) as i64);
            // Some come again and again; whoever is not there is somebody else.
            let someone = || users.get((random.f64() * random.f64() * USERS as f64) as usize);
            let user = std::iter::repeat_with(someone).take(20).flatten().find(|user| user.there.contains(&time));
            let Some(user) = user else { continue };
            let session = format!("demo-session-{:016x}", random.u64(..));
            Visit { story: self, user, session, time, began: time, pages: 0, interactions: 0, events: &mut events }
                .told(&mut random);
        }
        // What would come after the end of the story has not happened yet.
        events.retain(|event| event.occurred_at < self.to);
        events
    }
}

/// A session on its way.
struct Visit<'s> {
    story: &'s ProductStory,
    user: &'s User,
    session: String,
    time: DateTime<Utc>,
    began: DateTime<Utc>,
    pages: u64,
    interactions: u64,
    events: &'s mut Vec<ProductEvent<'static>>,
}

impl Visit<'_> {
    fn told(mut self, random: &mut fastrand::Rng) {
        let wanted = around(random, 4.0, 0.6).round().clamp(1.0, 30.0) as u64;
        let is_bad = self.story.bad_release().contains(&self.time);
        let mut before: Option<&'static str> = None;
        for number in 0..wanted {
            let (route, kind) = if number == 0 && random.f64() < 0.6 { ("/", Kind::Plain) } else { page(random) };
            self.pages += 1;
            self.event("page_viewed", route, before.map(|before| ("previous_route_pattern", before)), random);
            before = Some(route);
            self.wait(random, 6.0);
            let is_broken = is_bad && matches!(kind, Kind::Chart(_)) && random.f64() < BROKEN;
            if is_broken || random.f64() < 0.004 {
                let (boundary, class) =
                    if is_broken { ("chart", "ChunkLoadError") } else { ("page", pick(&ERRORS, random)) };
                self.event("client_error", route, [("boundary", boundary), ("error_class", class)], random);
                // Who sees nothing goes.
                if is_broken && random.f64() < 0.6 {
                    break;
                }
            }
            self.does(route, kind, random);
            self.wait(random, 30.0);
        }
        if random.f64() < TOLD {
            let duration = (self.time - self.began).num_milliseconds().unsigned_abs();
            let payload =
                [("duration_ms", duration), ("pages_viewed", self.pages), ("interactions", self.interactions)];
            let payload = payload.into_iter().map(|(field, count)| (Text::from(field), count.into())).collect();
            self.put("session_ended", before.unwrap_or("/"), payload, random);
        }
    }

    /// What is done on a page.
    fn does(&mut self, route: &'static str, kind: Kind, random: &mut fastrand::Rng) {
        match kind {
            Kind::List(view) => {
                for _ in 0..random.u64(..3) {
                    let key = pick(&FILTERS, random);
                    let count = 1 + random.u64(..4) * random.u64(..2);
                    let words = [("view", view), ("filter_key", key)];
                    let mut payload: Object<'static> =
                        words.into_iter().map(|(field, word)| (Text::from(field), Text::from(word).into())).collect();
                    payload.insert("value_count", count);
                    self.put("filter_changed", route, payload, random);
                    self.interactions += 1;
                    self.wait(random, 8.0);
                }
            }
            Kind::Chart(chart) => {
                for _ in 0..random.u64(..4) {
                    let words = [("chart", chart), ("action", pick(&ACTIONS, random)), ("surface", "page")];
                    self.event("chart_interacted", route, words, random);
                    self.interactions += 1;
                    self.wait(random, 5.0);
                }
            }
            Kind::Plain => {}
        }
        if random.f64() < 0.25 {
            self.event("feature_viewed", route, [("feature", pick(&FEATURES, random)), ("surface", "toolbar")], random);
            self.wait(random, 10.0);
        }
        if route == "/conversations/:id" && self.time > self.user.finds_it && random.f64() < 0.5 {
            self.event("feature_viewed", route, [("feature", LAUNCHED), ("surface", "sidebar")], random);
            self.wait(random, 20.0);
        }
    }

    fn wait(&mut self, random: &mut fastrand::Rng, seconds: f64) {
        self.time += Duration::microseconds((around(random, seconds, 0.8) * 1e6) as i64);
    }

    fn event(
        &mut self,
        name: &'static str,
        route: &'static str,
        words: impl IntoIterator<Item = (&'static str, &'static str)>,
        random: &mut fastrand::Rng,
    ) {
        let payload = words.into_iter().map(|(field, word)| (Text::from(field), Text::from(word).into())).collect();
        self.put(name, route, payload, random);
    }

    fn put(&mut self, name: &'static str, route: &'static str, payload: Object<'static>, random: &mut fastrand::Rng) {
        self.events.push(ProductEvent {
            org_id_hash: self.user.organisation.clone().into(),
            event_id: Uuid::from_u64_pair(random.u64(..), random.u64(..)),
            name: name.into(),
            schema_version: "2026-05-telemetry-v1".into(),
            session_id: self.session.clone().into(),
            anonymous_user_id: self.user.id.clone().into(),
            route_pattern: route.into(),
            payload,
            occurred_at: self.time,
            source: self.user.source.into(),
        });
    }
}

fn page(random: &mut fastrand::Rng) -> (&'static str, Kind) {
    let shares = PAGES.map(|(route, share, _)| (route, share));
    let route = pick(&shares, random);
    let kind = PAGES.iter().find(|(known, ..)| *known == route).map_or(Kind::Plain, |(_, _, kind)| *kind);
    (route, kind)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::config::UnknownEvents;
    use crate::ingest::product_event;
    use crate::json;

    fn story() -> ProductStory {
        let to: DateTime<Utc> = "2026-11-18T13:20:00Z".parse().unwrap();
        ProductStory::new(7, 50_000, to - Duration::days(90), to)
    }

    fn events(story: ProductStory) -> Vec<ProductEvent<'static>> {
        story.events().flat_map(|(_, events)| events).collect()
    }

    #[test]
    fn the_same_seed_tells_the_same_story() {
        assert_eq!(events(story()), events(story()));
        assert_ne!(events(story()), events(ProductStory { seed: 8, ..story() }));
    }

    #[test]
    fn every_event_would_be_taken_in_from_a_client() {
        for event in events(story()) {
            let text = format!(
                r#"{{"event_id":"{}","name":"{}","schema_version":"{}","org_id_hash":"{}","session_id":"{}","anonymous_user_id":"{}","route_pattern":"{}","source":"{}","occurred_at":"{}","payload":{}}}"#,
                event.event_id,
                event.name,
                event.schema_version,
                event.org_id_hash,
                event.session_id,
                event.anonymous_user_id,
                event.route_pattern,
                event.source,
                event.occurred_at.to_rfc3339(),
                event.payload
            );
            let read = product_event::read(json::read(&text).unwrap(), story().to, UnknownEvents::Refuse).unwrap();
            assert_eq!(read, event);
        }
    }

    #[test]
    fn the_launched_feature_spreads_and_the_bad_release_breaks_charts() {
        let (story, events) = (story(), events(story()));
        let uses: Vec<&ProductEvent<'_>> = events
            .iter()
            .filter(|event| event.payload.get("feature").and_then(json::Json::as_str) == Some(LAUNCHED))
            .collect();
        assert!(uses.iter().all(|event| event.occurred_at >= story.launch()));
        let middle = story.launch() + (story.to - story.launch()) / 2;
        let early = uses.iter().filter(|event| event.occurred_at < middle).count();
        assert!(early > 0 && uses.len() > 2 * early, "{early} {}", uses.len());
        let bad = story.bad_release();
        let errors = |is_in: bool| {
            let all = events.iter().filter(|event| bad.contains(&event.occurred_at) == is_in);
            let (errors, all): (Vec<_>, Vec<_>) = all.partition(|event| &*event.name == "client_error");
            errors.len() as f64 / (errors.len() + all.len()) as f64
        };
        assert!(errors(true) > 5.0 * errors(false), "{} {}", errors(true), errors(false));
    }

    #[test]
    fn it_goes_on_where_it_stopped() {
        let later = story().to + Duration::days(1);
        let since = events(story().continued(later));
        let before: HashSet<Uuid> = events(story()).iter().map(|event| event.event_id).collect();
        assert!(!since.is_empty());
        assert!(since.iter().all(|event| event.occurred_at >= story().to && !before.contains(&event.event_id)));
    }
}
