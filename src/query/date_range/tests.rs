//! Ranges in every zone, and the periods beside them.

use super::*;

fn read(query: &str) -> Result<DateRange, super::super::Problems> {
    Parameters::read(query)
}

#[track_caller]
fn resolve(query: &str, now: &str) -> (String, String) {
    let range = read(query).unwrap().resolve(now.parse().unwrap()).unwrap();
    (rfc3339(range.zone, range.from), rfc3339(range.zone, range.to))
}

#[track_caller]
fn assert_range(query: &str, from: &str, to: &str) {
    assert_eq!(resolve(query, "2026-03-29T10:30:00Z"), (from.to_owned(), to.to_owned()), "{query}");
}

#[test]
fn words_mean_whole_local_periods() {
    assert_range("", "2026-03-22T00:00:00+00:00", "2026-03-29T00:00:00+00:00");
    assert_range("range=24h", "2026-03-28T10:30:00+00:00", "2026-03-29T10:30:00+00:00");
    let zone = "&timezone=Europe/Amsterdam";
    assert_range(&format!("range=today{zone}"), "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00");
    assert_range(&format!("range=yesterday{zone}"), "2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00");
    assert_range(&format!("range=month{zone}"), "2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00");
    assert_range(&format!("range=last_month{zone}"), "2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00");
    assert_range(&format!("range=quarter{zone}"), "2026-01-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00");
    assert_range(&format!("range=6mo{zone}"), "2025-09-01T00:00:00+02:00", "2026-03-01T00:00:00+01:00");
    assert_range("range=year&timezone=Asia/Kathmandu", "2026-01-01T00:00:00+05:45", "2027-01-01T00:00:00+05:45");
}

#[test]
fn a_date_as_the_end_includes_its_day() {
    assert_range(
        "datetime_from=2026-02-01&datetime_to=2026-02-07&timezone=America/New_York",
        "2026-02-01T00:00:00-05:00",
        "2026-02-08T00:00:00-05:00",
    );
    assert_range(
        "datetime_from=2026-02-01T00:00:00Z&datetime_to=2026-02-07T00:00:00Z",
        "2026-02-01T00:00:00+00:00",
        "2026-02-07T00:00:00+00:00",
    );
    assert_range("datetime_from=2026-03-29", "2026-03-29T00:00:00+00:00", "2026-03-29T10:30:00+00:00");
    assert_range(
        "datetime_from=2026-02-01T00:00:00+01:00&datetime_to=2026-02-02",
        "2026-01-31T23:00:00+00:00",
        "2026-02-03T00:00:00+00:00",
    );
}

#[test]
fn nonsense_is_refused_with_every_problem_at_once() {
    let problems =
        read("datetime_from=2026-02-30&datetime_to=tomorrow&timezone=Europe/Amsterdm&range=8d&rnage=1").unwrap_err().0;
    let about: Vec<&str> = problems.iter().filter_map(|problem| problem.parameter.as_deref()).collect();
    assert_eq!(about, ["timezone", "range", "datetime_from", "datetime_to", "rnage"]);
    assert!(problems[0].detail.contains("`Europe/Amsterdam`"));
    assert!(problems[4].detail.contains("`range`"));
}

#[test]
fn contradictions_are_refused() {
    for query in [
        "datetime_to=2026-01-01",
        "range=7d&datetime_from=2026-01-01",
        "range=7d&range=28d",
        "datetime_from=2026-01-01T00:00:00",
    ] {
        assert!(read(query).is_err(), "{query}");
    }
    for query in
        ["datetime_from=2026-02-01&datetime_to=2026-01-01", "datetime_from=1999-01-01", "datetime_from=2200-01-01"]
    {
        assert!(read(query).unwrap().resolve("2026-03-29T10:30:00Z".parse().unwrap()).is_err(), "{query}");
    }
}

#[track_caller]
fn earlier(query: &str, compare: &str) -> (String, String, String) {
    let now = "2026-03-29T10:30:00Z".parse().unwrap();
    let range = read(query).unwrap().resolve(now).unwrap();
    let comparison: Comparison = Parameters::read(compare).unwrap();
    let earlier = comparison.earlier(&range, now).unwrap();
    let show = |instant| rfc3339(range.zone, instant);
    (show(earlier.range.from), show(earlier.range.to), show(earlier.until))
}

#[test]
fn a_calendar_month_is_compared_with_the_calendar_month_before() {
    let (from, to, until) = earlier("range=last_month&timezone=Europe/Amsterdam", "compare=previous_period");
    assert_eq!((from.as_str(), to.as_str()), ("2026-01-01T00:00:00+01:00", "2026-02-01T00:00:00+01:00"));
    assert_eq!(until, to);
}

#[test]
fn a_running_period_is_compared_up_to_the_same_clock_time() {
    let (_, to, until) = earlier("range=today&timezone=Europe/Amsterdam", "compare=previous_period");
    assert_eq!((to.as_str(), until.as_str()), ("2026-03-29T00:00:00+01:00", "2026-03-28T12:30:00+01:00"));
    let (_, to, until) = earlier("range=today&timezone=Europe/Amsterdam", "compare=previous_period&compare_align=full");
    assert_eq!(to, until);
}

#[test]
fn whole_days_are_moved_as_days_and_other_ranges_as_durations() {
    let days = earlier(
        "datetime_from=2026-03-25&datetime_to=2026-03-31&timezone=Europe/Amsterdam",
        "compare=previous_period&compare_align=full",
    );
    assert_eq!((days.0.as_str(), days.1.as_str()), ("2026-03-18T00:00:00+01:00", "2026-03-25T00:00:00+01:00"));
    let hours =
        earlier("datetime_from=2026-03-25T10:00:00Z&datetime_to=2026-03-25T12:00:00Z", "compare=previous_period");
    assert_eq!((hours.0.as_str(), hours.1.as_str()), ("2026-03-25T08:00:00+00:00", "2026-03-25T10:00:00+00:00"));
    let year = earlier("datetime_from=2024-02-29&datetime_to=2024-02-29", "compare=previous_year");
    assert_eq!((year.0.as_str(), year.1.as_str()), ("2023-02-28T00:00:00+00:00", "2023-03-01T00:00:00+00:00"));
}

#[test]
fn the_same_weekday_is_the_nearest_one_but_never_the_period_itself() {
    let monday_to_wednesday =
        earlier("datetime_from=2026-03-16&datetime_to=2026-03-18", "compare=previous_period_weekday");
    assert_eq!(monday_to_wednesday.0, "2026-03-09T00:00:00+00:00");
    let thirty_days = earlier("datetime_from=2026-02-01&datetime_to=2026-03-02", "compare=previous_period_weekday");
    // 2 January is a Friday; the nearest Sunday is the 4th.
    assert_eq!(thirty_days.0, "2026-01-04T00:00:00+00:00");
    let week = earlier("range=7d", "compare=previous_period_weekday");
    assert_eq!(week.0, "2026-03-15T00:00:00+00:00");
}
