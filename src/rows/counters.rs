//! Counters: what became of the rows of an account and table, since the process started.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Table;
use crate::config::Account;

/// Waits that are remembered for their quantiles.
const MOST_LAGS: usize = 4_096;

/// The counters of all accounts and tables.
#[derive(Debug, Default)]
pub struct Counters {
    tables: Mutex<BTreeMap<(Account, Table), Count>>,
}

/// What became of rows.
#[derive(Debug, Clone, Default)]
pub struct Count {
    pub accepted: u64,
    pub duplicates: u64,
    /// By code.
    pub rejected: BTreeMap<&'static str, u64>,
    pub inserted: u64,
    pub dead: u64,
    /// How long rows took from their acceptance until they could be read, the newest last.
    lags: VecDeque<Duration>,
}

impl Counters {
    pub fn note_taken(&self, account: &Account, table: Table, accepted: u64, duplicates: u64) {
        for (name, rows) in
            [("chartwell_rows_accepted_total", accepted), ("chartwell_rows_duplicate_total", duplicates)]
        {
            metrics::counter!(name, "account" => account.to_string(), "table" => table.name()).increment(rows);
        }
        self.change(account, table, |count| {
            count.accepted += accepted;
            count.duplicates += duplicates;
        });
    }

    pub fn note_rejected(&self, account: &Account, table: Table, code: &'static str, rows: u64) {
        metrics::counter!("chartwell_rows_rejected_total", "account" => account.to_string(), "table" => table.name(), "code" => code)
            .increment(rows);
        self.change(account, table, |count| *count.rejected.entry(code).or_default() += rows);
    }

    pub fn note_inserted(&self, account: &Account, table: Table, rows: u64, lag: Duration) {
        metrics::counter!("chartwell_rows_inserted_total", "account" => account.to_string(), "table" => table.name())
            .increment(rows);
        metrics::histogram!("chartwell_readable_after_seconds", "table" => table.name()).record(lag.as_secs_f64());
        self.change(account, table, |count| {
            count.inserted += rows;
            if count.lags.len() >= MOST_LAGS {
                count.lags.pop_front();
            }
            count.lags.push_back(lag);
        });
    }

    pub fn note_dead(&self, account: &Account, table: Table) {
        metrics::counter!("chartwell_dead_letters_total", "account" => account.to_string(), "table" => table.name())
            .increment(1);
        self.change(account, table, |count| count.dead += 1);
    }

    /// What became of the rows of one table.
    pub fn count(&self, account: &Account, table: Table) -> Count {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.get(&(account.clone(), table)).cloned().unwrap_or_default()
    }

    fn change(&self, account: &Account, table: Table, change: impl FnOnce(&mut Count)) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        change(tables.entry((account.clone(), table)).or_default());
    }
}

impl Count {
    /// A quantile of the last waits; `None` while there are none.
    pub fn lag(&self, quantile: f64) -> Option<Duration> {
        let mut lags: Vec<Duration> = self.lags.iter().copied().collect();
        lags.sort_unstable();
        let place = (lags.len().checked_sub(1)? as f64 * quantile).round() as usize;
        Some(lags[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_of_the_last_waits() {
        let (counters, account) = (Counters::default(), "acme".parse().unwrap());
        assert_eq!(counters.count(&account, Table::Events).lag(0.5), None);
        for millis in (1..=101).rev() {
            counters.note_inserted(&account, Table::Events, 10, Duration::from_millis(millis));
        }
        let count = counters.count(&account, Table::Events);
        assert_eq!(count.inserted, 1_010);
        assert_eq!(
            (count.lag(0.5), count.lag(0.95)),
            (Some(Duration::from_millis(51)), Some(Duration::from_millis(96)))
        );
        assert_eq!(counters.count(&account, Table::Spans).inserted, 0);
    }
}
