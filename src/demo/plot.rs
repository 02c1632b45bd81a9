//! The plot: which days of the story are not like the others.

use std::ops::Range;

use chrono::{DateTime, Datelike, Duration, NaiveTime, Utc, Weekday};
use serde::{Deserialize, Serialize};

/// The times that days of the story are counted from: when it begins, and when it was first told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl Plot {
    /// The time so far into it, 0 to 1.
    pub fn at(&self, share: f64) -> DateTime<Utc> {
        self.from + Duration::milliseconds(((self.to - self.from).num_milliseconds() as f64 * share) as i64)
    }

    /// The last such weekday that is at least so many days ago, or the first whole day of a shorter story.
    pub fn day(&self, weekday: Weekday, days_ago: i64) -> DateTime<Utc> {
        let midnight = |time: DateTime<Utc>| time.date_naive().and_time(NaiveTime::MIN).and_utc();
        let latest = midnight(self.to) - Duration::days(days_ago);
        let since = (7 + latest.weekday().num_days_from_monday() - weekday.num_days_from_monday()) % 7;
        (latest - Duration::days(since.into())).max(midnight(self.from) + Duration::days(1))
    }

    /// When an assistant runs in circles.
    pub fn circles(&self) -> Range<DateTime<Utc>> {
        let day = self.day(Weekday::Thu, 8);
        day + Duration::hours(9)..day + Duration::hours(17)
    }

    /// When text becomes speech slowly.
    pub fn slow_speech(&self) -> Range<DateTime<Utc>> {
        let day = self.day(Weekday::Wed, 4);
        day + Duration::hours(7)..day + Duration::hours(19)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_weekdays_and_within_the_story() {
        let to: DateTime<Utc> = "2026-03-18T13:20:00Z".parse().unwrap();
        let of_days = |days: i64| Plot { from: to - Duration::days(days), to };
        assert_eq!(of_days(60).circles().start.to_rfc3339(), "2026-03-05T09:00:00+00:00");
        assert_eq!(of_days(60).slow_speech().start.to_rfc3339(), "2026-03-11T07:00:00+00:00");
        assert_eq!(of_days(3).circles().start.to_rfc3339(), "2026-03-16T09:00:00+00:00");
    }
}
