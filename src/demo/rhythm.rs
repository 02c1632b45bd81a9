//! The rhythm of a contact centre: how much happens in which hour.

use chrono::{DateTime, Datelike, Duration, Timelike, Utc, Weekday};

/// A stretch of at most an hour, and how many events it has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub events: u64,
}

/// By the hour of the day: quiet nights, a peak before noon and a lower one after.
const BY_HOUR: [f64; 24] = [
    0.08, 0.06, 0.05, 0.05, 0.07, 0.14, 0.32, 0.62, 0.95, 1.25, 1.38, 1.30, 1.05, 1.12, 1.24, 1.18, 1.06, 0.88, 0.66,
    0.52, 0.42, 0.30, 0.20, 0.12,
];

fn by_weekday(weekday: Weekday) -> f64 {
    match weekday {
        Weekday::Mon => 1.18,
        Weekday::Tue => 1.10,
        Weekday::Wed => 1.05,
        Weekday::Thu => 1.02,
        Weekday::Fri => 0.94,
        Weekday::Sat => 0.48,
        Weekday::Sun => 0.33,
    }
}

fn weight(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    // The centre grows, by a fifth a year.
    let growth = 1.0 + 0.2 * (from.timestamp() as f64 / 31_557_600.0 - 56.0);
    let share = (to - from).num_milliseconds() as f64 / 3_600_000.0;
    BY_HOUR[from.hour() as usize] * by_weekday(from.weekday()) * growth * share
}

fn hours(from: DateTime<Utc>, to: DateTime<Utc>) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
    let next_hour = |time: DateTime<Utc>| {
        let start = DateTime::from_timestamp(time.timestamp().div_euclid(3_600) * 3_600, 0).expect("a time of today");
        start + Duration::hours(1)
    };
    let mut start = from;
    std::iter::from_fn(move || {
        if start >= to {
            return None;
        }
        let end = next_hour(start).min(to);
        let hour = (start, end);
        start = end;
        Some(hour)
    })
}

/// How much happens between two times, when so much has happened between two others.
pub fn as_many(amount: u64, before: (DateTime<Utc>, DateTime<Utc>), since: (DateTime<Utc>, DateTime<Utc>)) -> u64 {
    let business = |(from, to)| hours(from, to).map(|(from, to)| weight(from, to)).sum::<f64>();
    let (before, since) = (business(before), business(since));
    if before > 0.0 { (amount as f64 * since / before).round() as u64 } else { 0 }
}

/// Spreads exactly so many events over the hours between two times; `pace` is 1 in ordinary hours.
pub fn slots(from: DateTime<Utc>, to: DateTime<Utc>, events: u64, pace: impl Fn(DateTime<Utc>) -> f64) -> Vec<Slot> {
    let weight = |from, to| weight(from, to) * pace(from);
    let total: f64 = hours(from, to).map(|(from, to)| weight(from, to)).sum();
    let mut before = 0.0;
    let mut given = 0;
    hours(from, to)
        .map(|(from, to)| {
            // By the running total, so that nothing is lost by rounding.
            before += weight(from, to);
            let by_now = if total > 0.0 { (events as f64 * before / total).round() as u64 } else { 0 };
            let slot = Slot { from, to, events: by_now - given };
            given = by_now;
            slot
        })
        .collect()
}
