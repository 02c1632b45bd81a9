//! Which summary is due, and of which days it is. Pure.

use std::fmt::Write;

use chrono::{DateTime, Datelike, Days, Timelike, Utc, Weekday};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::book::SUMMARY;
use super::rules::Summary;
use crate::config::Account;

/// A summary that could not be told at its time is told for so many minutes after it, on the same day.
const LATEST: u32 = 6 * 60;

/// A summary that is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The same whoever tells it: it is told once.
    pub id: String,
    /// Its days, as parameters of a question.
    pub range: String,
}

impl Summary {
    /// The summary that is due for an account, from its minute on: also when nobody watched then, when its question
    /// failed, and when the clocks were put forward over it.
    pub fn due(&self, account: &Account, now: DateTime<Utc>) -> Option<Due> {
        let local = now.with_timezone(&self.zone);
        let minute = local.num_seconds_from_midnight() / 60;
        let is_its_day = !self.is_weekly || local.weekday() == Weekday::Mon;
        if !self.accounts.contains(account) || !is_its_day || !(self.minute..self.minute + LATEST).contains(&minute) {
            return None;
        }
        let last = local.date_naive() - Days::new(1);
        let first = if self.is_weekly { last - Days::new(6) } else { last };
        let mut id = format!("{SUMMARY}{account}");
        let every = if self.is_weekly { "week" } else { "day" };
        let at = format!("{:02}{:02}", self.minute / 60, self.minute % 60);
        for part in [every, &at, self.zone.name(), &self.channel] {
            // Names of channels are free, and an id is in a header.
            let _ = write!(id, "-{}", utf8_percent_encode(part, NON_ALPHANUMERIC));
        }
        let _ = write!(id, "-{first}-{last}");
        Some(Due { id, range: format!("datetime_from={first}&datetime_to={last}&timezone={}", self.zone) })
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn summary(at: &str, zone: Tz) -> Summary {
        let (hours, minutes) = at.split_once(':').unwrap();
        let minute = hours.parse::<u32>().unwrap() * 60 + minutes.parse::<u32>().unwrap();
        Summary { accounts: vec!["demo".parse().unwrap()], is_weekly: false, minute, zone, channel: "ops".to_owned() }
    }

    fn due(summary: &Summary, now: &str) -> Option<Due> {
        summary.due(&"demo".parse().unwrap(), now.parse().unwrap())
    }

    #[test]
    fn a_summary_is_due_from_its_minute_on_for_six_hours_of_the_day() {
        let morning = summary("08:30", Tz::UTC);
        for (time, is_due) in [("08:29:59", false), ("08:30:00", true), ("14:29:59", true), ("14:30:00", false)] {
            assert_eq!(due(&morning, &format!("2026-02-04T{time}Z")).is_some(), is_due, "{time}");
        }
        let night = summary("23:30", Tz::UTC);
        assert!(due(&night, "2026-02-04T23:59:59Z").is_some());
        assert_eq!(due(&night, "2026-02-05T00:00:00Z"), None);
        let weekly = Summary { is_weekly: true, ..morning };
        let found = due(&weekly, "2026-02-02T09:00:00Z").unwrap();
        assert_eq!(found.range, "datetime_from=2026-01-26&datetime_to=2026-02-01&timezone=UTC");
        assert_eq!(due(&weekly, "2026-02-03T09:00:00Z"), None);
        assert_eq!(weekly.due(&"acme".parse().unwrap(), "2026-02-02T09:00:00Z".parse().unwrap()), None);
    }

    #[test]
    fn a_time_that_the_clocks_skip_or_have_twice_is_told_once_a_day() {
        // At 02:00 it becomes 03:00.
        let skipped = summary("02:30", Tz::Europe__Amsterdam);
        assert_eq!(due(&skipped, "2026-03-29T00:59:59Z"), None);
        assert!(due(&skipped, "2026-03-29T01:00:00Z").is_some());
        // At 03:00 it becomes 02:00.
        let [first, again] = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map(|now| due(&skipped, now));
        assert!(first.is_some() && first == again);
    }

    #[test]
    fn each_has_an_id_of_its_own_wherever_it_stands_in_the_file() {
        let now = "2026-02-02T09:00:00Z";
        let morning = summary("08:30", Tz::UTC);
        let id = due(&morning, now).unwrap().id;
        assert_eq!(id, "summary-demo-day-0830-UTC-ops-2026-02-01-2026-02-01");
        let channel = |name: &str| Summary { channel: name.to_owned(), ..morning.clone() };
        let others = [
            Summary { is_weekly: true, ..morning.clone() },
            Summary { minute: 500, ..morning.clone() },
            Summary { zone: Tz::Europe__Amsterdam, ..morning.clone() },
            channel("ops.b"),
            channel("ops_b"),
            channel("ops-b"),
        ];
        let mut ids: Vec<String> = others.iter().map(|other| due(other, now).unwrap().id).collect();
        ids.push(id);
        assert!(ids.iter().all(|id| id.is_ascii() && !id.contains('.')), "{ids:?}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), others.len() + 1);
        assert_ne!(due(&morning, now), due(&morning, "2026-02-03T09:00:00Z"));
    }
}
