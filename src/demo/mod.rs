//! The demo: believable data of a contact centre, the same for the same seed and the same hours.
//!
//! Its story: a weekly and daily rhythm, text generation that slowly takes over from autocompletion,
//! and one bad day, 20 days before the data begins to be written, on which the suggestion service
//! was broken for six hours.

mod conversation;
mod people;
mod rhythm;

use chrono::{DateTime, Duration, Utc};

use crate::ingest::Event;
use conversation::Centre;
pub use rhythm::Slot;

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
        let midnight = now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
        let days_back = i64::from(days.clamp(1, 20).max(days.min(20)));
        Self {
            seed,
            from: now - Duration::days(days.into()),
            to: now,
            events,
            incident: midnight - Duration::days(days_back) + Duration::hours(9),
        }
    }

    /// All events, hour by hour.
    pub fn events(&self) -> impl Iterator<Item = Vec<Event>> {
        let story = *self;
        let centre = Centre::new(story.seed, story.incident);
        rhythm::slots(self.from, self.to, self.events).into_iter().map(move |slot| centre.events(&slot, story.to))
    }

    /// What has happened since: the same centre, at the same pace, from `self.to` to `now`.
    pub fn continued(&self, now: DateTime<Utc>) -> Self {
        let before = rhythm::weight_between(self.from, self.to);
        let since = rhythm::weight_between(self.to, now);
        let events = if before > 0.0 { (self.events as f64 * since / before).round() as u64 } else { 0 };
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
        let events: Vec<Event> = story().events().flatten().collect();
        assert_eq!(events.len(), 5_000);
        assert!(events.iter().all(|event| story().from <= event.time_utc && event.time_utc < story().to));
        let ids: HashSet<_> = events.iter().map(|event| event.event_id).collect();
        assert_eq!(ids.len(), 5_000);
    }

    #[test]
    fn it_goes_on_where_it_stopped() {
        let later = "2026-03-19T13:20:00Z".parse().unwrap();
        let continued = story().continued(later);
        let events: Vec<Event> = continued.events().flatten().collect();
        assert!((100..400).contains(&events.len()), "{}", events.len());
        let before: HashSet<_> = story().events().flatten().map(|event| event.event_id).collect();
        assert!(events.iter().all(|event| event.time_utc >= story().to && !before.contains(&event.event_id)));
    }
}
