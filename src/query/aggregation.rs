//! Aggregation: the time axis of a chart.
//!
//! Buckets are computed here, in the caller's zone, and handed to the engine as a list of instants.
//! The engine never does calendar arithmetic, so a chart cannot disagree with its own axis.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use utoipa::openapi::path::Parameter;

use super::calendar::{
    local_date, shift_days, shift_months, start_of_clock_unit, start_of_day, start_of_months, start_of_week,
};
use super::parameters::{FromParameters, Parameters, choice, vocabulary};
use super::{Problem, ProblemKind, Range};

/// The most buckets that a chart may have.
pub const MOST_BUCKETS: usize = 2_000;
/// The number of buckets that `auto` aims at.
const WANTED_BUCKETS: f64 = 50.0;

vocabulary! {
    /// The unit of a chart's time axis.
    pub enum Level as "aggregation_level" {
        /// About fifty buckets.
        Auto = "auto",
        Minute = "minute",
        Hour = "hour",
        Day = "day",
        /// Begins on Monday.
        Week = "week",
        Month = "month",
        Quarter = "quarter",
        Year = "year",
    }
}

impl Level {
    /// Its usual length, in seconds.
    const fn seconds(self) -> u32 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Auto | Self::Day => 86_400,
            Self::Week => 7 * 86_400,
            Self::Month => 2_629_800,
            Self::Quarter => 7_889_400,
            Self::Year => 31_557_600,
        }
    }
}

/// The mixin: which unit the axis has.
#[derive(Debug, Clone, Copy)]
pub struct Aggregation(pub Level);

impl FromParameters for Aggregation {
    fn describe() -> Vec<Parameter> {
        let description = "Unit of the time axis, in the time zone of the question. `auto` aims at about 50 buckets; weeks begin on Monday; more than 2,000 buckets are refused.";
        vec![choice(Level::PARAMETER, description, Level::NAMES, Some(Level::Auto.name())).build()]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        Level::read(parameters).map(|level| Self(level.unwrap_or(Level::Auto)))
    }
}

/// A time axis: buckets that cover a range without gap or overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets {
    pub level: Level,
    pub zone: Tz,
    /// Where each bucket begins; the first one may begin before the range does.
    pub starts: Vec<DateTime<Utc>>,
    /// Where the last bucket ends; may be after the range does.
    pub end: DateTime<Utc>,
}

impl Aggregation {
    /// Lays the axis over a range.
    pub fn buckets(self, range: &Range) -> Result<Buckets, Problem> {
        let length = (range.to - range.from).num_seconds().max(1) as f64;
        let level = match self.0 {
            Level::Auto => nearest_level(length),
            level => level,
        };
        // Counted before they are built: a century of minutes would not fit.
        let expected = length / f64::from(level.seconds());
        let buckets = (expected <= 1.1 * MOST_BUCKETS as f64).then(|| Buckets::cover(range, level));
        buckets.filter(|buckets| buckets.starts.len() <= MOST_BUCKETS).ok_or_else(|| Problem {
            kind: ProblemKind::TooManyBuckets,
            ..Problem::parameter(
                Level::PARAMETER,
                format!("`{}` would make about {expected:.0} buckets of this range, and {MOST_BUCKETS} is the most: use a coarser level or a shorter range", level.name()),
            )
        })
    }
}

/// The level whose number of buckets is nearest to the wanted one, by ratio.
fn nearest_level(length_seconds: f64) -> Level {
    let distance = |level: &Level| (length_seconds / f64::from(level.seconds()) / WANTED_BUCKETS).ln().abs();
    let levels = Level::ALL.iter().filter(|level| **level != Level::Auto);
    *levels.min_by(|a, b| distance(a).total_cmp(&distance(b))).expect("there are levels")
}

impl Buckets {
    fn cover(range: &Range, level: Level) -> Self {
        let zone = range.zone;
        let mut starts = Vec::new();
        let end = match level {
            Level::Minute | Level::Hour => {
                let unit = level.seconds();
                let mut start = start_of_clock_unit(zone, range.from, unit);
                while start < range.to {
                    starts.push(start);
                    start = start_of_clock_unit(zone, start + Duration::seconds(i64::from(unit)), unit);
                }
                start
            }
            _ => {
                let mut date = start_of_period(local_date(zone, range.from), level);
                let mut start = start_of_day(zone, date);
                while start < range.to {
                    // A day that a zone skipped altogether has no bucket.
                    if starts.last().is_none_or(|last| *last < start) {
                        starts.push(start);
                    }
                    date = next_period(date, level);
                    start = start_of_day(zone, date);
                }
                start
            }
        };
        Self { level, zone, starts, end }
    }

    /// One bucket, for answers without a time axis.
    pub fn whole(range: &Range) -> Self {
        Self { level: Level::Auto, zone: range.zone, starts: vec![range.from], end: range.to }
    }

    pub fn len(&self) -> usize {
        self.starts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Where a bucket ends, which is where the next one begins.
    pub fn end_of(&self, index: usize) -> DateTime<Utc> {
        self.starts.get(index + 1).copied().unwrap_or(self.end)
    }

    /// The starts as Unix times, as the engine gets them.
    pub fn edges(&self) -> Vec<u32> {
        self.starts
            .iter()
            .map(|start| u32::try_from(start.timestamp()).expect("ranges lie between 2000 and 2100"))
            .collect()
    }

    /// Seconds from one start to the next, where there are several and all are as far apart.
    pub fn step(&self) -> Option<u32> {
        let edges = self.edges();
        let mut steps = edges.windows(2).map(|pair| pair[1] - pair[0]);
        let first = steps.next()?;
        steps.all(|step| step == first).then_some(first)
    }

    /// The starts as they are shown: RFC 3339 with the zone's offset.
    pub fn labels(&self) -> Vec<String> {
        self.starts.iter().map(|start| start.with_timezone(&self.zone).to_rfc3339()).collect()
    }

    /// Indexes of the buckets that are not whole: cut by the range, or not over at `now`.
    pub fn partial(&self, range: &Range, now: DateTime<Utc>) -> Vec<usize> {
        (0..self.len())
            .filter(|&index| {
                self.starts[index] < range.from || self.end_of(index) > range.to || self.end_of(index) > now
            })
            .collect()
    }
}

fn start_of_period(date: NaiveDate, level: Level) -> NaiveDate {
    match level {
        Level::Week => start_of_week(date),
        Level::Month => start_of_months(date, 1),
        Level::Quarter => start_of_months(date, 3),
        Level::Year => start_of_months(date, 12),
        _ => date,
    }
}

fn next_period(date: NaiveDate, level: Level) -> NaiveDate {
    match level {
        Level::Week => shift_days(date, 7),
        Level::Month => shift_months(date, 1),
        Level::Quarter => shift_months(date, 3),
        Level::Year => shift_months(date, 12),
        _ => shift_days(date, 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(zone: &str, from: &str, to: &str) -> Range {
        Range { zone: zone.parse().unwrap(), from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    fn labels(zone: &str, from: &str, to: &str, level: Level) -> Vec<String> {
        Aggregation(level).buckets(&range(zone, from, to)).unwrap().labels()
    }

    #[test]
    fn buckets_have_a_step_while_the_clock_does_not_change() {
        let step = |zone, from, to, level| Aggregation(level).buckets(&range(zone, from, to)).unwrap().step();
        assert_eq!(step("Asia/Kathmandu", "2026-03-01T00:10:00Z", "2026-03-09T00:00:00Z", Level::Day), Some(86_400));
        assert_eq!(step("Europe/Amsterdam", "2026-03-26T23:00:00Z", "2026-03-30T22:00:00Z", Level::Day), None);
        assert_eq!(step("UTC", "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", Level::Month), None);
        assert_eq!(step("UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:30:00Z", Level::Hour), None);
    }

    #[test]
    fn days_have_23_and_25_hours_where_the_clock_changes() {
        let spring = labels("Europe/Amsterdam", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", Level::Hour);
        assert_eq!(spring.len(), 23);
        let autumn = labels("Europe/Amsterdam", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", Level::Hour);
        assert_eq!(autumn.len(), 25);
        assert_eq!(autumn[2..4], ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]);
    }

    #[test]
    fn the_first_bucket_begins_before_a_range_that_cuts_it() {
        let axis = labels("UTC", "2026-02-04T10:30:00Z", "2026-02-20T00:00:00Z", Level::Week);
        assert_eq!(axis, ["2026-02-02T00:00:00+00:00", "2026-02-09T00:00:00+00:00", "2026-02-16T00:00:00+00:00"]);
    }

    #[test]
    fn auto_aims_at_fifty_buckets() {
        let level =
            |to: &str| Aggregation(Level::Auto).buckets(&range("UTC", "2026-01-01T00:00:00Z", to)).unwrap().level;
        assert_eq!(level("2026-01-01T01:00:00Z"), Level::Minute);
        assert_eq!(level("2026-01-02T00:00:00Z"), Level::Hour);
        assert_eq!(level("2026-02-15T00:00:00Z"), Level::Day);
        assert_eq!(level("2026-12-31T00:00:00Z"), Level::Week);
        assert_eq!(level("2029-12-31T00:00:00Z"), Level::Month);
    }

    #[test]
    fn too_many_buckets_are_refused_before_they_are_built() {
        let century = range("UTC", "2000-01-01T00:00:00Z", "2099-12-31T00:00:00Z");
        let problem = Aggregation(Level::Minute).buckets(&century).unwrap_err();
        assert_eq!(problem.kind, ProblemKind::TooManyBuckets);
        let fits = range("UTC", "2026-01-01T00:00:00Z", "2026-01-02T09:20:00Z");
        assert_eq!(Aggregation(Level::Minute).buckets(&fits).unwrap().len(), 2_000);
        let one_more = range("UTC", "2026-01-01T00:00:00Z", "2026-01-02T09:20:01Z");
        assert!(Aggregation(Level::Minute).buckets(&one_more).is_err());
    }

    fn any_zone() -> impl Strategy<Value = Tz> {
        prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// In every zone, through the whole of 2026: the buckets cover the range without gap or
        /// overlap, and every instant lies in the bucket that its own local date and clock name.
        #[test]
        fn buckets_cover_the_range_and_hold_what_their_labels_say(
            zone in any_zone(),
            level in prop::sample::select(&Level::ALL[1..]),
            start in 0_i64..366 * 86_400,
            length in 1_i64..40 * 86_400,
            samples in prop::collection::vec(0.0..1.0_f64, 20),
        ) {
            let from = DateTime::from_timestamp(1_767_225_600 + start, 0).unwrap();
            let longest = i64::from(level.seconds()) * 1_500;
            let range = Range { zone, from, to: from + Duration::seconds(length.min(longest)) };
            let buckets = Aggregation(level).buckets(&range).unwrap();

            prop_assert!(buckets.starts[0] <= range.from && range.from < buckets.end_of(0));
            prop_assert!(buckets.starts.is_sorted_by(|a, b| a < b));
            prop_assert!(*buckets.starts.last().unwrap() < range.to && range.to <= buckets.end);

            for sample in samples {
                let instant = range.from + Duration::seconds(((range.to - range.from).num_seconds() as f64 * sample) as i64);
                let index = buckets.starts.partition_point(|start| *start <= instant) - 1;
                let (local, first) = (instant.with_timezone(&zone), buckets.starts[index].with_timezone(&zone));
                use chrono::{Datelike, Timelike};
                let same = match level {
                    Level::Minute => local.format("%F %H:%M").to_string() == first.format("%F %H:%M").to_string(),
                    Level::Hour => (local.date_naive(), local.hour()) == (first.date_naive(), first.hour()),
                    Level::Week => local.iso_week() == first.iso_week(),
                    Level::Month => (local.year(), local.month()) == (first.year(), first.month()),
                    Level::Quarter => (local.year(), local.month0() / 3) == (first.year(), first.month0() / 3),
                    Level::Year => local.year() == first.year(),
                    Level::Day | Level::Auto => local.date_naive() == first.date_naive(),
                };
                prop_assert!(same, "{instant} in {zone} by {level:?} is in the bucket of {first}");
            }
        }
    }
}
