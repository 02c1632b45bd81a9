//! The matrix of cohorts and periods, made of how many of a cohort returned in which period.

use chrono::{DateTime, Utc};

use super::super::repository::RetentionRow;
use super::schemas::{Cohort, MeanCell, RetentionCell, Returned};
use crate::query::{Buckets, Range};

/// What the matrix is laid over.
pub struct Laid<'a> {
    pub buckets: &'a Buckets,
    pub range: &'a Range,
    pub now: DateTime<Utc>,
    /// Periods behind the one of the cohort.
    pub periods: usize,
    pub returned: Returned,
}

impl Laid<'_> {
    /// The cohorts, each with a cell for each period since it began.
    pub fn cohorts(&self, rows: &[RetentionRow]) -> Vec<Cohort> {
        let edges = self.buckets.edges();
        let place = |start: u32| edges.binary_search(&start).ok();
        let mut users = vec![0; edges.len()];
        let mut returns = vec![vec![0_u64; edges.len()]; edges.len()];
        for row in rows {
            match (place(row.cohort), row.returned) {
                (Some(cohort), 0) => users[cohort] += row.users,
                (Some(cohort), returned) => {
                    if let Some(period) = place(returned) {
                        returns[cohort][period] += row.users;
                    }
                }
                (None, _) => {}
            }
        }
        if self.returned == Returned::OnOrAfter {
            // Only the latest return is told: whoever returned then had returned on or after all periods before it.
            for returns in &mut returns {
                for period in (1..returns.len()).rev() {
                    returns[period - 1] += returns[period];
                }
            }
        }
        let labels = self.buckets.labels().into_iter().enumerate();
        labels.map(|(cohort, start)| self.cohort(start, cohort, users[cohort], &returns[cohort])).collect()
    }

    fn cohort(&self, start: String, cohort: usize, users: u64, returns: &[u64]) -> Cohort {
        let cell = |offset: usize| {
            let is_complete = self.is_over(cohort + offset);
            let numerator = returns.get(cohort + offset).copied().filter(|_| is_complete);
            RetentionCell {
                offset,
                is_complete,
                rate: numerator.filter(|_| users > 0).map(|numerator| numerator as f64 / users as f64),
                rate_numerator: numerator,
                rate_denominator: numerator.map(|_| users),
            }
        };
        let is_partial = self.buckets.starts[cohort] < self.range.from || !self.is_over(cohort);
        Cohort { start, users, is_partial, cells: (0..=self.periods).map(cell).collect() }
    }

    /// Whether a period has ended, within the range.
    fn is_over(&self, period: usize) -> bool {
        period < self.buckets.len() && self.buckets.end_of(period) <= self.range.to.min(self.now)
    }
}

/// All cohorts together, of cells that are complete.
pub fn mean(cohorts: &[Cohort], periods: usize) -> Vec<MeanCell> {
    let cell = |offset: usize| {
        let cells: Vec<(u64, u64)> = cohorts
            .iter()
            .filter_map(|cohort| cohort.cells.get(offset))
            .filter_map(|cell| cell.rate_numerator.zip(cell.rate_denominator))
            .collect();
        let numerator = cells.iter().map(|(numerator, _)| numerator).sum();
        let denominator: u64 = cells.iter().map(|(_, denominator)| denominator).sum();
        MeanCell {
            offset,
            cohorts: cells.len() as u64,
            rate: (denominator > 0).then(|| numerator as f64 / denominator as f64),
            rate_numerator: numerator,
            rate_denominator: denominator,
        }
    };
    (0..=periods).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Aggregation, Level};

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Three days, of which the last one is not over; ten began on the first, four on the second.
    fn laid(returned: Returned, rows: &[(u32, u32, u64)]) -> (Vec<Cohort>, Vec<MeanCell>) {
        let range =
            Range { zone: chrono_tz::UTC, from: instant("2026-02-01T00:00:00Z"), to: instant("2026-02-04T00:00:00Z") };
        let buckets = Aggregation(Level::Day).buckets(&range).unwrap();
        let edges = buckets.edges();
        let start = |day: u32| if day == 0 { 0 } else { edges[day as usize - 1] };
        let rows: Vec<RetentionRow> = rows
            .iter()
            .map(|(cohort, returned, users)| RetentionRow {
                cohort: start(*cohort),
                returned: start(*returned),
                users: *users,
            })
            .collect();
        let now = instant("2026-02-03T12:00:00Z");
        let cohorts = Laid { buckets: &buckets, range: &range, now, periods: 2, returned }.cohorts(&rows);
        let mean = mean(&cohorts, 2);
        (cohorts, mean)
    }

    fn numerators(cohorts: &[Cohort]) -> Vec<Vec<Option<u64>>> {
        cohorts.iter().map(|cohort| cohort.cells.iter().map(|cell| cell.rate_numerator).collect()).collect()
    }

    #[test]
    fn cells_that_are_not_over_are_null_and_in_no_mean() {
        let rows = [(1, 0, 10), (1, 1, 10), (1, 2, 5), (1, 3, 2), (2, 0, 4), (2, 2, 4), (2, 3, 1)];
        let (cohorts, mean) = laid(Returned::On, &rows);
        assert_eq!(
            numerators(&cohorts),
            [vec![Some(10), Some(5), None], vec![Some(4), None, None], vec![None, None, None]]
        );
        let rates: Vec<_> = mean.iter().map(|cell| (cell.cohorts, cell.rate)).collect();
        assert_eq!(rates, [(2, Some(1.0)), (1, Some(0.5)), (0, None)]);
        assert_eq!(cohorts.iter().map(|cohort| cohort.is_partial).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn whoever_returned_later_had_returned_on_or_after() {
        let (cohorts, _) = laid(Returned::OnOrAfter, &[(1, 0, 10), (1, 1, 3), (1, 3, 2)]);
        assert_eq!(numerators(&cohorts)[0], [Some(5), Some(2), None]);
    }
}
