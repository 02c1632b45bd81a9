//! Quotas: how many rows an account may send in a minute, and on a day.
//!
//! A minute is counted by each instance for itself. A day is counted from what is stored, by whichever instance, and from
//! what this one has taken since it looked. Nobody waits for that number: ingestion goes on while the engine is away. A day
//! has the rows that were accepted, a minute those that were sent, duplicates among them.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use clickhouse::Row;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde::Deserialize;

use crate::clickhouse::{ClickHouse, QueryError};
use crate::config::{Account, LimitsConfig};

/// What others have stored is asked for again after this.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// An account has sent as many rows as it may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the account may send {limit} rows {of}, and these would be more")]
pub struct OverQuota {
    limit: u64,
    of: &'static str,
    /// Seconds after which there is room again.
    pub retry_after: u32,
}

/// Counts the rows of accounts that have quotas.
pub struct Quotas {
    clickhouse: ClickHouse,
    limits: LimitsConfig,
    counted: Arc<Mutex<Counted>>,
}

#[derive(Default)]
struct Counted {
    /// By account and limit: with another limit, the count begins anew.
    minutes: HashMap<(Account, NonZeroU32), Arc<DefaultDirectRateLimiter>>,
    days: HashMap<Account, Day>,
}

/// Rows that an account may send, until it is known how many of them were accepted.
///
/// When that is never known, because a sender hung up, none are counted: what was accepted is seen when it is stored.
pub(super) struct Reserved<'q> {
    quotas: &'q Quotas,
    account: &'q Account,
    date: NaiveDate,
    rows: u64,
}

impl Reserved<'_> {
    /// Counts those that were accepted.
    pub(super) fn accepted(self, rows: u64) {
        self.quotas.counted().on_day(self.account, self.date, |day| day.take(rows));
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.quotas.counted().on_day(self.account, self.date, |day| day.reserved -= self.rows);
    }
}

/// The rows of an account on a day of UTC.
#[derive(Debug, Clone, Copy)]
struct Day {
    date: NaiveDate,
    /// What may be accepted any moment.
    reserved: u64,
    /// What was stored when this process first looked, and what it has taken in all.
    stored_at_first: Option<u64>,
    taken: u64,
    /// What was stored when it last looked, and what it has taken since.
    stored: u64,
    taken_since: u64,
    looked: Option<Instant>,
}

impl Day {
    fn new(date: NaiveDate) -> Self {
        Self { date, reserved: 0, stored_at_first: None, taken: 0, stored: 0, taken_since: 0, looked: None }
    }

    /// Both counts may lack something: the first what others have taken since, the second what waits to be stored.
    fn rows(&self) -> u64 {
        self.reserved + (self.stored_at_first.unwrap_or(0) + self.taken).max(self.stored + self.taken_since)
    }

    fn take(&mut self, rows: u64) {
        self.taken += rows;
        self.taken_since += rows;
    }

    fn see(&mut self, stored: u64, taken_since: u64) {
        self.stored_at_first.get_or_insert(stored.saturating_sub(self.taken - taken_since));
        (self.stored, self.taken_since) = (stored, taken_since);
    }
}

impl Quotas {
    pub fn new(clickhouse: ClickHouse, limits: &LimitsConfig) -> Self {
        Self { clickhouse, limits: limits.clone(), counted: Arc::default() }
    }

    /// Quotas by other limits; what was counted stays counted.
    pub fn with(&self, limits: &LimitsConfig) -> Self {
        Self { clickhouse: self.clickhouse.clone(), limits: limits.clone(), counted: Arc::clone(&self.counted) }
    }

    /// Keeps room for rows that are about to be taken, or refuses them all. Who is refused has used up nothing.
    pub(super) fn reserve<'q>(&'q self, account: &'q Account, rows: usize) -> Result<Option<Reserved<'q>>, OverQuota> {
        let limits = self.limits.of(account);
        if limits.rows_per_day.is_some() {
            self.look_sometimes(account);
        }
        let now = Utc::now();
        let mut counted = self.counted();
        let of_day = limits.rows_per_day.map(|limit| (limit, counted.day(account, now), rows as u64));
        if let Some((limit, day, rows)) = &of_day
            && day.rows() + rows > limit.get()
        {
            return Err(OverQuota { limit: limit.get(), of: "a day", retry_after: until_tomorrow(now) });
        }
        let reserved = of_day.map(|(_, day, rows)| {
            day.reserved += rows;
            Reserved { quotas: self, account, date: day.date, rows }
        });
        let (Some(limit), Some(rows)) = (limits.rows_per_minute, NonZeroU32::new(rows as u32)) else {
            return Ok(reserved);
        };
        let minute = counted.minute(account, limit);
        drop(counted);
        // A request that is larger than the limit takes all of it, or it could never be sent.
        match minute.check_n(rows.min(limit)).expect("no more than the limit") {
            Ok(()) => Ok(reserved),
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                let retry_after = u32::try_from(wait.as_secs()).unwrap_or(59) + 1;
                Err(OverQuota { limit: limit.get().into(), of: "a minute", retry_after })
            }
        }
    }

    /// How many rows an account has sent today, where that is limited.
    pub fn rows_of_today(&self, account: &Account) -> Option<u64> {
        self.limits.of(account).rows_per_day?;
        self.look_sometimes(account);
        Some(self.counted().day(account, Utc::now()).rows())
    }

    fn counted(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks what is stored, in the background, when that was long ago.
    fn look_sometimes(&self, account: &Account) {
        let (date, taken) = {
            let mut counted = self.counted();
            let day = counted.day(account, Utc::now());
            if day.looked.is_some_and(|looked| looked.elapsed() < ASK_AGAIN_AFTER) {
                return;
            }
            day.looked = Some(Instant::now());
            (day.date, day.taken)
        };
        let (clickhouse, account, counted) = (self.clickhouse.clone(), account.clone(), Arc::clone(&self.counted));
        tokio::spawn(async move {
            match stored(&clickhouse, &account, date).await {
                Ok(stored) => {
                    let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
                    counted.on_day(&account, date, |day| day.see(stored, day.taken - taken));
                }
                Err(error) => tracing::warn!(%error, %account, "it cannot be told how many rows came in today"),
            }
        });
    }
}

impl Counted {
    fn day(&mut self, account: &Account, now: DateTime<Utc>) -> &mut Day {
        let date = now.date_naive();
        let day = self.days.entry(account.clone()).or_insert_with(|| Day::new(date));
        // A clock that goes back changes nothing.
        if day.date < date {
            *day = Day::new(date);
        }
        day
    }

    /// Does something with a day, unless another one has begun.
    fn on_day(&mut self, account: &Account, date: NaiveDate, what: impl FnOnce(&mut Day)) {
        if let Some(day) = self.days.get_mut(account).filter(|day| day.date == date) {
            what(day);
        }
    }

    fn minute(&mut self, account: &Account, limit: NonZeroU32) -> Arc<DefaultDirectRateLimiter> {
        let made = || Arc::new(RateLimiter::direct(Quota::per_minute(limit)));
        Arc::clone(self.minutes.entry((account.clone(), limit)).or_insert_with(made))
    }
}

/// The rows that came in on a day.
async fn stored(clickhouse: &ClickHouse, account: &Account, date: NaiveDate) -> Result<u64, QueryError> {
    #[derive(Row, Deserialize)]
    struct Stored {
        row_count: u64,
    }
    let sql = format!(
        "SELECT toUInt64(sum(row_count)) AS row_count FROM `{}`.ingestion_15m WHERE bucket >= toDateTime('{date} 00:00:00', 'UTC')",
        account.analytics_database()
    );
    Ok(clickhouse.fetch::<Stored>(&sql).await?.first().map_or(0, |stored| stored.row_count))
}

fn until_tomorrow(now: DateTime<Utc>) -> u32 {
    let into_day = u32::try_from(now.timestamp().rem_euclid(86_400)).unwrap_or(0);
    86_400 - into_day
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clickhouse::Place;
    use crate::config::{ClickHouseConfig, QueryConfig};

    #[test]
    fn a_day_has_what_others_stored_and_what_waits_here() {
        let mut day = Day::new("2026-02-02".parse().unwrap());
        day.take(10);
        assert_eq!(day.rows(), 10);
        // 100 were there before this process took 10, of which 4 are stored, and 3 more while it looked.
        day.take(3);
        day.see(104, 3);
        assert_eq!(day.rows(), 107);
        day.take(5);
        assert_eq!(day.rows(), 112);
        // Others have stored 1,000 meanwhile.
        day.see(1_118, 0);
        assert_eq!(day.rows(), 1_118);
        // The engine is behind: what was taken counts.
        day.see(200, 0);
        day.take(1);
        assert_eq!(day.rows(), 201);
    }

    fn quotas(limits: &[&str]) -> Quotas {
        let account_limits = limits.iter().map(|limit| limit.parse().unwrap()).collect();
        // A server that is not there: what others have stored stays unknown.
        let clickhouse_url = vec!["http://127.0.0.1:1".parse().unwrap()];
        let servers = ClickHouseConfig { clickhouse_url, ..ClickHouseConfig::default() };
        let clickhouse = ClickHouse::new(Place::Servers(&servers), &QueryConfig::default()).unwrap();
        Quotas::new(clickhouse, &LimitsConfig { account_limits })
    }

    #[tokio::test]
    async fn what_is_not_accepted_is_not_counted_for_the_day() {
        let quotas = quotas(&["*:rows_per_day=10", "*:rows_per_minute=6"]);
        let account: Account = "acme".parse().unwrap();
        let today = || quotas.rows_of_today(&account).unwrap();
        // Of five, two were duplicates.
        quotas.reserve(&account, 5).unwrap().unwrap().accepted(3);
        assert_eq!(today(), 3);
        // The minute has no room for it, and the day is as it was.
        assert_eq!(quotas.reserve(&account, 4).err().unwrap().of, "a minute");
        assert_eq!(today(), 3);
        // The day has no room for it, and the minute is as it was.
        assert_eq!(quotas.reserve(&account, 8).err().unwrap().of, "a day");
        // A spool that is full.
        drop(quotas.reserve(&account, 1).unwrap());
        assert_eq!(today(), 3);
    }

    #[tokio::test]
    async fn requests_at_one_time_have_no_more_than_the_day_together() {
        let quotas = quotas(&["*:rows_per_day=10"]);
        let account: Account = "acme".parse().unwrap();
        let first = quotas.reserve(&account, 6).unwrap().unwrap();
        assert_eq!(quotas.reserve(&account, 5).err().unwrap().of, "a day");
        let second = quotas.reserve(&account, 4).unwrap().unwrap();
        first.accepted(0);
        second.accepted(4);
        assert_eq!(quotas.rows_of_today(&account), Some(4));
        assert!(quotas.reserve(&account, 6).is_ok());
    }

    #[tokio::test]
    async fn what_belongs_to_a_day_that_is_over_changes_nothing() {
        let quotas = quotas(&["*:rows_per_day=10"]);
        let account: Account = "acme".parse().unwrap();
        let reserved = quotas.reserve(&account, 6).unwrap().unwrap();
        let tomorrow = Utc::now() + chrono::Duration::days(1);
        let looked_at = reserved.date;
        assert_eq!(quotas.counted().day(&account, tomorrow).rows(), 0);
        // A look at what was stored yesterday comes back only now.
        quotas.counted().on_day(&account, looked_at, |day| day.see(1_000, day.taken - 1));
        reserved.accepted(6);
        assert_eq!(quotas.counted().day(&account, tomorrow).rows(), 0);
    }

    #[test]
    fn a_day_ends_at_midnight() {
        assert_eq!(until_tomorrow("2026-02-02T00:00:00Z".parse().unwrap()), 86_400);
        assert_eq!(until_tomorrow("2026-02-02T23:59:59Z".parse().unwrap()), 1);
    }
}
