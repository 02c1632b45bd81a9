//! How unlike such days before a day is: weekday-aware robust z-scores. Pure.
//!
//! Expected is the median of the same weekday in the days before. The spread is 1.4826 × the median absolute deviation
//! of the days before, each from what is expected of its own weekday, and never less than what chance alone does.
//!
//! Source: Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers, whose threshold is 3.5.

use super::schemas::{Basis, DailyMetric};
use crate::statistics::{median, robust_centre};

/// Days before a day that say what is expected of it.
pub const BASELINE_DAYS: usize = 42;
/// From so many days of the same weekday on, weekdays are told apart.
const FEWEST_WEEKDAYS: usize = 3;
/// With fewer days before it, nothing is expected of a day.
const FEWEST_DAYS: usize = 7;
/// The least spread, as a part of what is expected: less is no news.
const LEAST_SPREAD: f64 = 0.1;
/// The least spread of error rates.
const LEAST_SPREAD_OF_RATES: f64 = 0.001;

/// How a day compares with such days before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    pub expected: f64,
    pub spread: f64,
    pub score: f64,
    pub basis: Basis,
    /// Days that the expected value is the median of.
    pub baseline_days: usize,
}

/// One metric, day by day, with the runs of each day.
#[derive(Debug, Clone, Copy)]
pub struct Days<'a> {
    pub metric: DailyMetric,
    /// `None` where there is none.
    pub values: &'a [Option<f64>],
    pub runs: &'a [f64],
}

impl Days<'_> {
    /// The score of a day by its place; `None` without a value, or with too few days before it.
    pub fn score(&self, day: usize) -> Option<Score> {
        let seen = self.values[day]?;
        let before = self.before(day);
        if before.len() < FEWEST_DAYS {
            return None;
        }
        let (expected, basis, baseline_days) = expected_of(&before, day)?;
        let unit = self.unit(expected, &before)?;
        let residuals: Vec<f64> =
            before.iter().filter_map(|(other, value)| self.residual(*other, *value, &before)).collect();
        let centre = robust_centre(&residuals, |_| self.least_spread(expected, day))?;
        let spread = centre.scale * unit;
        Some(Score { expected, spread, score: (seen - expected) / spread, basis, baseline_days })
    }

    /// The days before a day that have a value, from the first one on that has any run or value at all.
    fn before(&self, day: usize) -> Vec<(usize, f64)> {
        let is_used = |day: &usize| self.runs[*day] > 0.0 || self.values[*day].is_some_and(|value| value > 0.0);
        let Some(first) = (0..day).find(is_used) else { return Vec::new() };
        let from = first.max(day.saturating_sub(BASELINE_DAYS));
        (from..day).filter_map(|day| Some((day, self.values[day]?))).collect()
    }

    /// What deviations are measured in: rates as they are, all else as parts of what is expected, because quiet days
    /// vary less. A weekday of which nothing is expected is measured by the others.
    fn unit(&self, expected: f64, before: &[(usize, f64)]) -> Option<f64> {
        if self.metric == DailyMetric::ErrorRate {
            return Some(1.0);
        }
        let of_all = || median(&values_of(before)).filter(|all| *all > 0.0);
        if expected > 0.0 { Some(expected) } else { of_all() }
    }

    fn residual(&self, day: usize, value: f64, before: &[(usize, f64)]) -> Option<f64> {
        let (expected, ..) = expected_of(before, day)?;
        Some((value - expected) / self.unit(expected, before)?)
    }

    /// What chance alone does: √(p(1−p)/n) to a rate, and to a count 1/√n of it.
    fn least_spread(&self, expected: f64, day: usize) -> f64 {
        let runs = self.runs[day].max(1.0);
        if self.metric == DailyMetric::ErrorRate {
            let by_chance = (expected * (1.0 - expected) / runs).max(0.0).sqrt();
            return by_chance.max(1.0 / runs).max(LEAST_SPREAD_OF_RATES);
        }
        let usual: Vec<f64> = self.before(day).into_iter().map(|(day, _)| self.runs[day]).collect();
        match median(&usual).filter(|usual| *usual > 0.0) {
            Some(usual) => LEAST_SPREAD.max(1.0 / usual.sqrt()),
            None => LEAST_SPREAD,
        }
    }
}

fn values_of(days: &[(usize, f64)]) -> Vec<f64> {
    days.iter().map(|(_, value)| *value).collect()
}

/// What is expected of a day: the median of its weekday, or of all days while there are too few of those.
fn expected_of(before: &[(usize, f64)], day: usize) -> Option<(f64, Basis, usize)> {
    let is_same = |(other, _): &&(usize, f64)| other.abs_diff(day) % 7 == 0;
    let same: Vec<f64> = before.iter().filter(is_same).map(|(_, value)| *value).collect();
    if same.len() >= FEWEST_WEEKDAYS {
        return Some((median(&same)?, Basis::Weekday, same.len()));
    }
    Some((median(&values_of(before))?, Basis::AllDays, before.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNS: [f64; 64] = [100.0; 64];

    fn score(metric: DailyMetric, values: &[f64], day: usize) -> Option<Score> {
        let values: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
        Days { metric, values: &values, runs: &RUNS[..values.len()] }.score(day)
    }

    /// Quiet weekends: 20 on two days of seven, 100 on the others, each a little off.
    fn weeks(days: usize) -> Vec<f64> {
        let value =
            |day: usize| if day % 7 < 5 { 100.0 } else { 20.0 } * (1.0 + 0.03 * ((day * 5 % 7) as f64 - 3.0) / 3.0);
        (0..days).map(value).collect()
    }

    #[test]
    fn a_quiet_weekend_is_expected_and_a_busy_one_is_not() {
        let mut days = weeks(50);
        let quiet = score(DailyMetric::Cost, &days, 47).unwrap();
        assert!(quiet.score.abs() < 1.0 && quiet.basis == Basis::Weekday && quiet.baseline_days == 6, "{quiet:?}");
        days[47] = 100.0;
        let busy = score(DailyMetric::Cost, &days, 47).unwrap();
        assert!((busy.expected - 20.0).abs() < 1.0 && busy.score > 30.0, "{busy:?}");
        // What is 40 % above on a Monday is as striking as on a Sunday.
        (days[47], days[49]) = (28.0, 140.0);
        let (weekend, monday) =
            (score(DailyMetric::Runs, &days, 47).unwrap(), score(DailyMetric::Runs, &days, 49).unwrap());
        assert!((weekend.score - monday.score).abs() < 0.7 && monday.score > 3.5, "{weekend:?} {monday:?}");
    }

    #[test]
    fn one_odd_day_does_not_change_what_is_expected_later() {
        let mut days = weeks(50);
        days[42] = 5_000.0;
        let after = score(DailyMetric::Cost, &days, 49).unwrap();
        assert!((after.expected - 100.0).abs() < 5.0 && after.score.abs() < 1.0, "{after:?}");
    }

    #[test]
    fn values_that_never_vary_have_a_spread_all_the_same() {
        let mut days = vec![10.0; 30];
        days[29] = 10.5;
        let hardly = score(DailyMetric::LatencyP95, &days, 29).unwrap();
        assert_eq!((hardly.spread, hardly.score), (1.0, 0.5));
        let rates = vec![0.0; 30];
        let none = score(DailyMetric::ErrorRate, &rates, 29).unwrap();
        assert_eq!((none.score, none.spread), (0.0, 0.01));
        let mut one_of_100 = rates;
        one_of_100[29] = 0.01;
        assert_eq!(score(DailyMetric::ErrorRate, &one_of_100, 29).unwrap().score, 1.0);
    }

    #[test]
    fn without_days_before_nothing_is_expected() {
        assert_eq!(score(DailyMetric::Cost, &weeks(7), 6), None);
        assert_eq!(score(DailyMetric::Cost, &weeks(8), 7).unwrap().basis, Basis::AllDays);
        // Days before the first run are not days without runs.
        let values: Vec<Option<f64>> = (0..30).map(|day| Some(if day < 20 { 0.0 } else { 50.0 })).collect();
        let runs: Vec<f64> = values.iter().map(|value| value.unwrap_or_default()).collect();
        let days = Days { metric: DailyMetric::Runs, values: &values, runs: &runs };
        assert_eq!((days.score(26), days.score(27).unwrap().expected), (None, 50.0));
        // A day without runs has no rate, and is one without runs.
        let none = [None; 30];
        assert_eq!(Days { metric: DailyMetric::ErrorRate, values: &none, runs: &runs }.score(29), None);
        let mut stopped = values;
        stopped[29] = Some(0.0);
        assert!(Days { metric: DailyMetric::Runs, values: &stopped, runs: &runs }.score(29).unwrap().score < -3.5);
    }

    #[test]
    fn a_weekday_of_which_nothing_is_expected_is_measured_by_the_others() {
        let mut days: Vec<f64> = weeks(50).into_iter().map(|value| if value < 50.0 { 0.0 } else { value }).collect();
        assert_eq!(score(DailyMetric::Runs, &days, 47).unwrap().score, 0.0);
        days[47] = 90.0;
        assert!(score(DailyMetric::Runs, &days, 47).unwrap().score > 5.0);
    }
}
