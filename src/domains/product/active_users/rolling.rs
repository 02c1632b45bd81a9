//! Rolling distinct counts, made of how many users were there on one day and on which day next.

use std::ops::Range;

use super::super::repository::ReturnsRow;

/// Distinct users of days that follow each other.
pub struct Days {
    /// How many were there on a day and then not before another one: the days, and the users.
    returns: Vec<(Range<usize>, u64)>,
    days: usize,
}

/// What there is to say about the window that ends with one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rolled {
    /// Distinct users of the window.
    pub users: u64,
    /// Distinct users of each of its days, added up.
    pub user_days: u64,
}

impl Days {
    /// `starts` are those of the days, as Unix times.
    pub fn new(starts: &[u32], rows: &[ReturnsRow]) -> Self {
        let day_of = |start: u32| starts.binary_search(&start).ok();
        let returns = rows.iter().filter_map(|row| {
            let next = if row.next == 0 { starts.len() } else { day_of(row.next)? };
            Some((day_of(row.start)?..next, row.users))
        });
        Self { returns: returns.collect(), days: starts.len() }
    }

    /// By the last day of a window of so many days. A user counts from a day on which he was there until the window has
    /// passed, or until he is there again, from when on that day counts.
    pub fn rolled(&self, window: usize) -> Vec<Rolled> {
        let (mut users, mut user_days) = (vec![0_i64; self.days + 1], vec![0_i64; self.days + 1]);
        for (days, count) in &self.returns {
            let count = count.cast_signed();
            users[days.start] += count;
            users[days.end.min(days.start + window)] -= count;
            user_days[days.start] += count;
            user_days[self.days.min(days.start + window)] -= count;
        }
        let running = |changes: Vec<i64>| {
            changes.into_iter().take(self.days).scan(0, |sum, change| {
                *sum += change;
                Some(u64::try_from(*sum).unwrap_or_default())
            })
        };
        running(users).zip(running(user_days)).map(|(users, user_days)| Rolled { users, user_days }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Users, each with the days of his visits.
    fn days(of: usize, users: &[&[usize]]) -> Days {
        let starts: Vec<u32> = (1..=of).map(|day| day as u32 * 86_400).collect();
        let rows: Vec<ReturnsRow> = users
            .iter()
            .flat_map(|visits| {
                visits.iter().enumerate().map(|(number, day)| ReturnsRow {
                    start: starts[*day],
                    next: visits.get(number + 1).map_or(0, |next| starts[*next]),
                    users: 1,
                })
            })
            .collect();
        Days::new(&starts, &rows)
    }

    fn users(days: &Days, window: usize) -> Vec<u64> {
        days.rolled(window).iter().map(|rolled| rolled.users).collect()
    }

    #[test]
    fn a_user_counts_once_in_each_window_that_has_a_visit() {
        let days = days(6, &[&[0, 1, 4], &[1], &[5]]);
        assert_eq!(users(&days, 1), [1, 2, 0, 0, 1, 1]);
        assert_eq!(users(&days, 2), [1, 2, 2, 0, 1, 2]);
        assert_eq!(users(&days, 30), [1, 2, 2, 2, 2, 3]);
    }

    #[test]
    fn the_days_of_a_window_add_up_to_its_visits() {
        let days = days(6, &[&[0, 1, 4], &[1], &[5]]);
        let user_days: Vec<u64> = days.rolled(3).iter().map(|rolled| rolled.user_days).collect();
        assert_eq!(user_days, [1, 3, 3, 2, 1, 2]);
    }
}
