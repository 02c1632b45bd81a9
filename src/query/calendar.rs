//! Calendar arithmetic in a time zone: where local days, hours and months begin.
//!
//! Zones change their offset by an hour, by half an hour (Lord Howe Island) and at midnight
//! (Beirut, Santiago), so a local day has 23 to 25 hours and may begin at 01:00. Everything here
//! turns local dates into instants; nothing else in the program does.

use chrono::{
    DateTime, Datelike, Days, Duration, Months, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;

/// The first instant of a local day.
///
/// Midnight itself, except where the clock skips it; the earlier of two where the clock repeats it.
pub fn start_of_day(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    if let Some(instant) = zone.from_local_datetime(&midnight).earliest() {
        return instant.to_utc();
    }
    // The clock skipped midnight: the day begins at the change. By the old offset, midnight would
    // have been at or after it.
    let old = zone.offset_from_utc_datetime(&(midnight - Duration::hours(26))).fix();
    let after = Utc.from_utc_datetime(&(midnight - TimeDelta::seconds(i64::from(old.local_minus_utc()))));
    change_between(zone, after - Duration::hours(3), after)
}

/// The local date of an instant.
pub fn local_date(zone: Tz, instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&zone).date_naive()
}

/// The start of the minute or hour, by the local clock, that an instant lies in.
///
/// An hour in which the clock changes is cut at the change, so that no bucket holds two clock hours.
pub fn start_of_clock_unit(zone: Tz, instant: DateTime<Utc>, seconds: u32) -> DateTime<Utc> {
    let local = instant.with_timezone(&zone);
    let past = i64::from(local.num_seconds_from_midnight() % seconds);
    let start =
        instant - Duration::seconds(past) - Duration::nanoseconds(i64::from(local.nanosecond() % 1_000_000_000));
    if offset_seconds(zone, start) == offset_seconds(zone, instant) {
        start
    } else {
        change_between(zone, start, instant)
    }
}

/// The date `months` later or earlier, on the last day of the month where the day does not exist.
pub fn shift_months(date: NaiveDate, months: i32) -> NaiveDate {
    let by = Months::new(months.unsigned_abs());
    let shifted = if months < 0 { date.checked_sub_months(by) } else { date.checked_add_months(by) };
    shifted.expect("a date within the range of questions")
}

/// The date `days` later or earlier.
pub fn shift_days(date: NaiveDate, days: i64) -> NaiveDate {
    let by = Days::new(days.unsigned_abs());
    let shifted = if days < 0 { date.checked_sub_days(by) } else { date.checked_add_days(by) };
    shifted.expect("a date within the range of questions")
}

/// The Monday of a date's week.
pub fn start_of_week(date: NaiveDate) -> NaiveDate {
    shift_days(date, -i64::from(date.weekday().num_days_from_monday()))
}

/// The first day of the period of `months` months (1, 3 or 12) that a date lies in.
pub fn start_of_months(date: NaiveDate, months: u32) -> NaiveDate {
    let month = date.month0() / months * months + 1;
    NaiveDate::from_ymd_opt(date.year(), month, 1).expect("the first of a month")
}

fn offset_seconds(zone: Tz, instant: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()
}

/// The instant at which the offset changes to the one at `after`; it changes once in between.
fn change_between(zone: Tz, before: DateTime<Utc>, after: DateTime<Utc>) -> DateTime<Utc> {
    let new = offset_seconds(zone, after);
    let (mut low, mut high) = (before.timestamp(), after.timestamp());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let instant = Utc.timestamp_opt(middle, 0).single().expect("an instant between two others");
        if offset_seconds(zone, instant) == new { high = middle } else { low = middle }
    }
    Utc.timestamp_opt(high, 0).single().expect("an instant between two others")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(zone: &str, date: &str) -> String {
        start_of_day(zone.parse().unwrap(), date.parse().unwrap()).to_rfc3339()
    }

    #[test]
    fn a_day_begins_at_local_midnight() {
        assert_eq!(day("Asia/Kathmandu", "2026-03-01"), "2026-02-28T18:15:00+00:00");
        assert_eq!(day("Pacific/Chatham", "2026-01-01"), "2025-12-31T10:15:00+00:00");
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_at_the_change() {
        // Beirut goes from 00:00 to 01:00 on the last Sunday of March.
        assert_eq!(day("Asia/Beirut", "2026-03-29"), "2026-03-28T22:00:00+00:00");
        assert_eq!(day("Asia/Beirut", "2026-03-30"), "2026-03-29T21:00:00+00:00");
        // Samoa skipped the whole of 30 December 2011.
        assert_eq!(day("Pacific/Apia", "2011-12-30"), day("Pacific/Apia", "2011-12-31"));
    }

    #[test]
    fn an_hour_is_cut_where_the_clock_changes() {
        let zone: Tz = "Australia/Lord_Howe".parse().unwrap();
        let start = |instant: &str| start_of_clock_unit(zone, instant.parse().unwrap(), 3_600).to_rfc3339();
        // 5 April 2026, 15:00 UTC: 02:00 becomes 01:30.
        assert_eq!(start("2026-04-04T14:59:59Z"), "2026-04-04T14:00:00+00:00");
        assert_eq!(start("2026-04-04T15:10:00Z"), "2026-04-04T15:00:00+00:00");
        assert_eq!(start("2026-04-04T15:31:00Z"), "2026-04-04T15:30:00+00:00");
    }

    #[test]
    fn months_and_weeks() {
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(shift_months(date("2026-03-31"), -1), date("2026-02-28"));
        assert_eq!(start_of_months(date("2026-08-09"), 3), date("2026-07-01"));
        assert_eq!(start_of_week(date("2026-11-22")), date("2026-11-16"));
    }
}
