//! The demo: believable data of a contact centre, the same for the same seed and the same hours.
//!
//! Its story: a weekly and daily rhythm, text generation that slowly takes over from autocompletion,
//! and one bad Tuesday about two weeks ago, on which the suggestion service was broken for ten hours.
//! Assistants have a story of their own, of the last 60 days, and so has the product that agents' leads work with; in the
//! last 30 days three experiments run.

mod assistants;
mod chance;
mod conversation;
mod experiments;
mod people;
mod plot;
mod product;
mod rhythm;

use chrono::{DateTime, Duration, Utc, Weekday};

use crate::rows::Event;
pub use assistants::{AssistantStory, LOOPING, REGRESSED, assistants};
use conversation::Centre;
pub use experiments::{ExperimentStory, FLAT, LOSING, WINNING};
use plot::Plot;
pub use product::{LAUNCHED, ProductStory};
pub use rhythm::Slot;

/// Rules that watch it.
pub const ALERTS: &str = include_str!("alerts.toml");

/// What the demo is made of.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    pub seed: u64,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub events: u64,
    /// When the suggestion service is broken.
    pub incident: DateTime<Utc>,
}

impl Story {
    /// The last `days` days before `now`.
    pub fn new(seed: u64, events: u64, days: u32, now: DateTime<Utc>) -> Self {
        let from = now - Duration::days(days.into());
        let incident = Plot { from, to: now }.day(Weekday::Tue, 14) + Duration::hours(8);
        Self { seed, from, to: now, events, incident }
    }

    /// All events, hour by hour.
    pub fn events(&self) -> impl Iterator<Item = Vec<Event<'static>>> {
        let story = *self;
        let centre = Centre::new(story.seed, story.incident);
        rhythm::slots(self.from, self.to, self.events, |time| centre.pace(time))
            .into_iter()
            .map(move |slot| centre.events(&slot, story.to))
    }

    /// What has happened since: the same centre, at the same pace, from `self.to` to `now`.
    pub fn continued(&self, now: DateTime<Utc>) -> Self {
        let events = rhythm::as_many(self.events, (self.from, self.to), (self.to, now));
        Self { from: self.to, to: now, events, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn story() -> Story {
        Story::new(7, 5_000, 30, "2026-03-18T13:20:00Z".parse().unwrap())
    }

    #[test]
    fn the_same_seed_tells_the_same_story() {
        let all = |story: Story| story.events().flatten().collect::<Vec<_>>();
        assert_eq!(all(story()), all(story()));
        assert_ne!(all(story()), all(Story { seed: 8, ..story() }));
    }

    #[test]
    fn it_has_as_many_events_as_asked_for_all_within_its_time_and_each_with_its_own_id() {
        let events: Vec<Event<'static>> = story().events().flatten().collect();
        assert_eq!(events.len(), 5_000);
        assert!(events.iter().all(|event| story().from <= event.time_utc && event.time_utc < story().to));
        let ids: HashSet<_> = events.iter().map(|event| event.event_id).collect();
        assert_eq!(ids.len(), 5_000);
    }

    #[test]
    fn on_the_bad_day_hardly_anything_is_accepted() {
        let story = Story { events: 60_000, ..story() };
        assert_eq!(story.incident.to_rfc3339(), "2026-03-03T08:00:00+00:00");
        let events: Vec<Event<'static>> = story.events().flatten().collect();
        let on = |name: &str, day: &str| {
            events.iter().filter(|event| &*event.event == name && event.time_utc.to_string().starts_with(day)).count()
        };
        let shown = |day: &str| on("Recommendation Shown", day);
        let (bad, week_before) = (shown("2026-03-03"), shown("2026-02-24"));
        assert!(bad * 2 < week_before, "{bad} {week_before}");
        assert!(on("Recommendation Accepted", "2026-03-03") * 2 < on("Recommendation Accepted", "2026-02-24"));
    }

    #[test]
    fn it_goes_on_where_it_stopped() {
        let later = "2026-03-19T13:20:00Z".parse().unwrap();
        let continued = story().continued(later);
        let events: Vec<Event<'static>> = continued.events().flatten().collect();
        assert!((100..400).contains(&events.len()), "{}", events.len());
        let before: HashSet<_> = story().events().flatten().map(|event| event.event_id).collect();
        assert!(events.iter().all(|event| event.time_utc >= story().to && !before.contains(&event.event_id)));
    }
}
