//! Date range and comparison: which time a question is about, and which earlier time beside it.
//!
//! A range is half-open, `[from, to)`. Dates and relative ranges are local: they begin and end at
//! local midnights of the question's zone.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use utoipa::openapi::path::Parameter;

use super::calendar::{local_date, shift_days, shift_months, start_of_day, start_of_months};
use super::parameters::{FromParameters, Parameters, choice, text, vocabulary};
use super::{Problem, problems::shown};

vocabulary! {
    /// A range told by a word.
    pub enum Period as "range" {
        /// Ends now.
        Last24Hours = "24h",
        Today = "today",
        Yesterday = "yesterday",
        /// Whole local days before today; likewise the three below.
        Last7Days = "7d",
        Last28Days = "28d",
        Last30Days = "30d",
        Last91Days = "91d",
        /// The current calendar month.
        Month = "month",
        LastMonth = "last_month",
        Quarter = "quarter",
        Year = "year",
        /// Whole calendar months before the current one.
        Last6Months = "6mo",
        Last12Months = "12mo",
    }
}

vocabulary! {
    /// The earlier period that an answer is set beside.
    pub enum Compare as "compare" {
        /// The one just before; for calendar months, the calendar months before.
        PreviousPeriod = "previous_period",
        /// The same dates a year earlier.
        PreviousYear = "previous_year",
        /// The one just before, moved to the nearest start on the same weekday.
        PreviousPeriodWeekday = "previous_period_weekday",
    }
}

vocabulary! {
    /// How much of the earlier period counts while the current one is still running.
    pub enum CompareAlign as "compare_align" {
        /// As much as has passed of the current one.
        Elapsed = "elapsed",
        Full = "full",
    }
}

/// A resolved range, `[from, to)`, with the zone that its buckets and labels are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub zone: Tz,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// The mixin: `datetime_from` and `datetime_to`, or `range`; and `timezone`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateRange {
    pub zone: Tz,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Relative(Period),
    /// Without an end, until now.
    Between(Moment, Option<Moment>),
}

/// An instant, or a local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Instant(DateTime<Utc>),
    Day(NaiveDate),
}

impl FromParameters for DateRange {
    fn describe() -> Vec<Parameter> {
        let example =
            |builder: utoipa::openapi::path::ParameterBuilder, value: &str| builder.example(Some(value.into())).build();
        vec![
            text("datetime_from", "Start of the range, included: RFC 3339 with an offset, or `YYYY-MM-DD`, a local day in `timezone`.").build(),
            text("datetime_to", "End of the range, excluded: RFC 3339 with an offset; or `YYYY-MM-DD`, which includes that local day. Without it, now.").build(),
            choice(Period::PARAMETER, "A range by name, instead of the two above. `24h` ends now; `7d 28d 30d 91d` are whole local days before today; `6mo 12mo` whole calendar months before the current one; `month quarter year` the current ones.", Period::NAMES, Some("7d")).build(),
            example(text("timezone", "IANA time zone in which days begin and every bucket is computed. Default `UTC`."), "Europe/Amsterdam"),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let zone = take_zone(parameters);
        let period = Period::read(parameters);
        let from = take_moment(parameters, "datetime_from");
        let to = take_moment(parameters, "datetime_to");
        let span = match (from?, to?, period?) {
            (None, None, period) => Span::Relative(period.unwrap_or(Period::Last7Days)),
            (Some(from), to, None) => Span::Between(from, to),
            (None, Some(_), None) => {
                return parameters
                    .refuse(Problem::parameter("datetime_from", "is missing: `datetime_to` is given without it"));
            }
            (_, _, Some(_)) => {
                return parameters.refuse(Problem::parameter(
                    Period::PARAMETER,
                    "cannot be given together with `datetime_from` or `datetime_to`",
                ));
            }
        };
        Some(Self { zone: zone?, span })
    }
}

fn take_zone(parameters: &mut Parameters) -> Option<Tz> {
    let Some(name) = parameters.one("timezone") else { return Some(Tz::UTC) };
    // A `+` that was not escaped arrives as a blank: `Etc/GMT 3`.
    let name = name.replace(' ', "+");
    let known = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(&name));
    if let Some(zone) = known {
        return Some(*zone);
    }
    let names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    let near = super::nearest(&name, &names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    parameters.refuse(Problem::parameter("timezone", format!("`{}` is not an IANA time zone{near}", shown(&name))))
}

fn take_moment(parameters: &mut Parameters, name: &str) -> Option<Option<Moment>> {
    let Some(value) = parameters.one(name) else { return Some(None) };
    if let Ok(day) = NaiveDate::parse_from_str(&value, "%Y-%m-%d") {
        return Some(Some(Moment::Day(day)));
    }
    // A `+` that was not escaped arrives as a blank: `2026-02-01T00:00:00 01:00`.
    let instant =
        DateTime::parse_from_rfc3339(&value).or_else(|_| DateTime::parse_from_rfc3339(&value.replace(' ', "+")));
    match instant {
        Ok(instant) => Some(Some(Moment::Instant(instant.to_utc()))),
        Err(_) => parameters.refuse(Problem::parameter(
            name,
            format!("`{}` is neither a date (`2026-02-01`) nor a time with an offset (`2026-02-01T00:00:00Z`, `2026-02-01T00:00:00%2B01:00`)", shown(&value)),
        )),
    }
}

/// The mixin: `at`, the instant that an answer looks back from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At(pub Option<DateTime<Utc>>);

impl FromParameters for At {
    fn describe() -> Vec<Parameter> {
        vec![text("at", "The instant that is looked back from: RFC 3339 with an offset, or `YYYY-MM-DD`, the start of that day in UTC. Without it, now.").build()]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let at = take_moment(parameters, "at")?.map(|moment| match moment {
            Moment::Instant(instant) => instant,
            Moment::Day(day) => start_of_day(Tz::UTC, day),
        });
        match at {
            Some(at) if !YEARS.contains(&at.year()) => {
                parameters.refuse(Problem::parameter("at", "is not between the years 2000 and 2099"))
            }
            at => Some(Self(at)),
        }
    }
}

/// Years that questions may be about.
const YEARS: std::ops::Range<i32> = 2000..2100;

/// From the first second of 2000 until the last one of 2099: all that rows and questions can be about.
pub const ALL_TIME: (DateTime<Utc>, DateTime<Utc>) =
    (DateTime::from_timestamp(946_684_800, 0).unwrap(), DateTime::from_timestamp(4_102_444_799, 0).unwrap());

impl DateRange {
    /// All that a question can be about.
    pub fn all_time() -> Self {
        let (from, to) = ALL_TIME;
        Self { zone: Tz::UTC, span: Span::Between(Moment::Instant(from), Some(Moment::Instant(to))) }
    }

    /// From one local day until before another.
    pub fn of_days(zone: Tz, first: NaiveDate, after: NaiveDate) -> Self {
        Self { zone, span: Span::Between(Moment::Day(first), Some(Moment::Day(shift_days(after, -1)))) }
    }

    /// The local days that lie whole within the range and are over: the first one, and the one after the last.
    pub fn whole_days(&self, now: DateTime<Utc>) -> Result<Option<(NaiveDate, NaiveDate)>, Problem> {
        let range = self.resolve(now)?;
        let day = local_date(self.zone, range.from);
        let first = if start_of_day(self.zone, day) < range.from { shift_days(day, 1) } else { day };
        let after = local_date(self.zone, range.to.min(now));
        Ok((first < after).then_some((first, after)))
    }

    /// The range that this means at `now`.
    pub fn resolve(&self, now: DateTime<Utc>) -> Result<Range, Problem> {
        let zone = self.zone;
        let (from, to) = match self.span {
            Span::Relative(period) => period.resolve(zone, now),
            Span::Between(from, to) => {
                for (name, moment) in [("datetime_from", Some(from)), ("datetime_to", to)] {
                    let year = moment.map(|moment| match moment {
                        Moment::Instant(instant) => instant.year(),
                        Moment::Day(day) => day.year(),
                    });
                    if year.is_some_and(|year| !YEARS.contains(&year)) {
                        return Err(Problem::parameter(name, "is not between the years 2000 and 2099"));
                    }
                }
                let start = |day| start_of_day(zone, day);
                let from = match from {
                    Moment::Instant(instant) => instant,
                    Moment::Day(day) => start(day),
                };
                let to = match to {
                    None => now,
                    Some(Moment::Instant(instant)) => instant,
                    Some(Moment::Day(day)) => start(shift_days(day, 1)),
                };
                (from, to)
            }
        };
        if from >= to {
            return Err(Problem::parameter(
                "datetime_to",
                format!("the range is empty: it ends at {} and begins at {}", rfc3339(zone, to), rfc3339(zone, from)),
            ));
        }
        Ok(Range { zone, from, to })
    }
}

fn rfc3339(zone: Tz, instant: DateTime<Utc>) -> String {
    instant.with_timezone(&zone).to_rfc3339()
}

impl Period {
    fn resolve(self, zone: Tz, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let today = local_date(zone, now);
        let days = |from, to| (start_of_day(zone, shift_days(today, from)), start_of_day(zone, shift_days(today, to)));
        let months = |unit: u32, from, to| {
            let first = start_of_months(today, unit);
            (start_of_day(zone, shift_months(first, from)), start_of_day(zone, shift_months(first, to)))
        };
        match self {
            Self::Last24Hours => (now - Duration::hours(24), now),
            Self::Today => days(0, 1),
            Self::Yesterday => days(-1, 0),
            Self::Last7Days => days(-7, 0),
            Self::Last28Days => days(-28, 0),
            Self::Last30Days => days(-30, 0),
            Self::Last91Days => days(-91, 0),
            Self::Month => months(1, 0, 1),
            Self::LastMonth => months(1, -1, 0),
            Self::Quarter => months(3, 0, 3),
            Self::Year => months(12, 0, 12),
            Self::Last6Months => months(1, -6, 0),
            Self::Last12Months => months(1, -12, 0),
        }
    }
}

/// The mixin: which earlier period the answer is set beside, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    pub with: Option<Compare>,
    pub align: CompareAlign,
}

/// The earlier period: its whole range, and the instant up to which it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    pub range: Range,
    pub until: DateTime<Utc>,
}

impl Comparison {
    /// The same, with an earlier period even when none is named: the cards of a page stand beside their earlier values.
    pub fn or(self, with: Compare) -> Self {
        Self { with: self.with.or(Some(with)), ..self }
    }
}

impl FromParameters for Comparison {
    fn describe() -> Vec<Parameter> {
        vec![
            choice(Compare::PARAMETER, "Asks the same question for an earlier period: the one just before (for calendar months, the calendar months before), a year earlier, or the one just before moved to the nearest start on the same weekday.", Compare::NAMES, None).build(),
            choice(CompareAlign::PARAMETER, "While the current period is still running: `elapsed` counts as much of the earlier one as has passed of it, `full` the whole.", CompareAlign::NAMES, Some("elapsed")).build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let with = Compare::read(parameters);
        let align = CompareAlign::read(parameters);
        Some(Self { with: with?, align: align?.unwrap_or(CompareAlign::Elapsed) })
    }
}

impl Comparison {
    /// The earlier period of `range`, `None` when no comparison is asked for.
    pub fn earlier(&self, range: &Range, now: DateTime<Utc>) -> Option<Earlier> {
        let earlier = match self.with? {
            Compare::PreviousPeriod => range.previous(),
            Compare::PreviousYear => range.moved_by_months(-12),
            Compare::PreviousPeriodWeekday => range.previous_on_same_weekday(),
        };
        let running = range.from <= now && now < range.to;
        let until = if running && self.align == CompareAlign::Elapsed {
            // By the local clock: nine in the morning is compared with nine in the morning.
            let passed = range.local(now) - range.local(range.from);
            at_local(range.zone, earlier.local(earlier.from) + passed).clamp(earlier.from, earlier.to)
        } else {
            earlier.to
        };
        Some(Earlier { range: earlier, until })
    }
}

impl Range {
    fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.with_timezone(&self.zone).naive_local()
    }

    /// Its first day and the day after its last, when it consists of whole local days.
    fn days(&self) -> Option<(NaiveDate, NaiveDate)> {
        let (first, after) = (local_date(self.zone, self.from), local_date(self.zone, self.to));
        let whole = start_of_day(self.zone, first) == self.from && start_of_day(self.zone, after) == self.to;
        whole.then_some((first, after))
    }

    fn of_days(&self, first: NaiveDate, after: NaiveDate) -> Self {
        Self { from: start_of_day(self.zone, first), to: start_of_day(self.zone, after), ..*self }
    }

    fn previous(&self) -> Self {
        let Some((first, after)) = self.days() else {
            return Self { from: self.from - (self.to - self.from), to: self.from, ..*self };
        };
        if first.day() == 1 && after.day() == 1 {
            let months = (after.year() - first.year()) * 12 + after.month0() as i32 - first.month0() as i32;
            return self.of_days(shift_months(first, -months), first);
        }
        self.of_days(shift_days(first, -(after - first).num_days()), first)
    }

    fn previous_on_same_weekday(&self) -> Self {
        let previous = self.previous();
        let (wanted, got) = (local_date(self.zone, self.from), local_date(self.zone, previous.from));
        // The nearest of the two candidates around the previous start: -3 to 3 days away.
        let ahead =
            i64::from(wanted.weekday().num_days_from_monday()) - i64::from(got.weekday().num_days_from_monday());
        let mut shift = (ahead + 10).rem_euclid(7) - 3;
        if shift_days(got, shift) == wanted {
            shift -= 7;
        }
        previous.moved_by_days(shift)
    }

    fn moved_by_days(&self, days: i64) -> Self {
        self.moved(|date| shift_days(date, days))
    }

    fn moved_by_months(&self, months: i32) -> Self {
        self.moved(|date| shift_months(date, months))
    }

    fn moved(&self, shift: impl Fn(NaiveDate) -> NaiveDate) -> Self {
        if let Some((first, after)) = self.days() {
            return self.of_days(shift(first), shift(after));
        }
        let moved = |instant| {
            let local = self.local(instant);
            at_local(self.zone, shift(local.date()).and_time(local.time()))
        };
        Self { from: moved(self.from), to: moved(self.to), ..*self }
    }
}

/// The instant at which the local clock shows this; the earlier of two, and, where the clock skips
/// it, as if it had not been put forward yet.
fn at_local(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    zone.from_local_datetime(&local)
        .earliest()
        .or_else(|| {
            zone.from_local_datetime(&(local - Duration::hours(3))).earliest().map(|before| before + Duration::hours(3))
        })
        .map_or_else(|| local.and_utc(), |instant| instant.to_utc())
}

#[cfg(test)]
mod tests;
