//! Freshness: when the newest row of a table came in, and a number that changes with every insert.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::Deserialize;

use super::{ClickHouse, QueryError};
use crate::config::Account;

/// Where others insert too, what is known is asked for again after this.
const KNOWN_FOR: Duration = Duration::from_secs(1);

/// What is known about the data of all accounts.
pub struct Freshness {
    clickhouse: ClickHouse,
    accounts: RwLock<HashMap<Account, Arc<Known>>>,
}

#[derive(Default)]
struct Known {
    version: AtomicU64,
    newest: Mutex<HashMap<&'static str, Newest>>,
}

#[derive(Clone, Copy)]
struct Newest {
    ingested_at: Option<DateTime<Utc>>,
    asked: Instant,
}

#[derive(Row, Deserialize)]
struct NewestRow {
    rows: u64,
    newest_us: i64,
}

impl Freshness {
    pub fn new(clickhouse: ClickHouse) -> Self {
        Self { clickhouse, accounts: RwLock::default() }
    }

    fn known(&self, account: &Account) -> Arc<Known> {
        if let Some(known) = self.accounts.read().unwrap_or_else(PoisonError::into_inner).get(account) {
            return Arc::clone(known);
        }
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(accounts.entry(account.clone()).or_default())
    }

    /// Grows with every insert of this process.
    pub fn version(&self, account: &Account) -> u64 {
        self.known(account).version.load(Ordering::Acquire)
    }

    /// Notes that rows were inserted.
    pub fn note(&self, account: &Account, table: &'static str, ingested_at: DateTime<Utc>) {
        let known = self.known(account);
        let mut newest = known.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = newest.entry(table).or_insert(Newest { ingested_at: None, asked: Instant::now() });
        entry.ingested_at = entry.ingested_at.max(Some(ingested_at));
        drop(newest);
        known.version.fetch_add(1, Ordering::Release);
    }

    /// When the newest row of a table came in; `None` while it has none.
    pub async fn newest(&self, account: &Account, table: &'static str) -> Result<Option<DateTime<Utc>>, QueryError> {
        let known = self.known(account);
        let found = known.newest.lock().unwrap_or_else(PoisonError::into_inner).get(table).copied();
        if let Some(newest) =
            found.filter(|newest| !self.clickhouse.others_insert() || newest.asked.elapsed() < KNOWN_FOR)
        {
            return Ok(newest.ingested_at);
        }
        let sql = format!(
            "SELECT toUInt64(count()) AS rows, toUnixTimestamp64Micro(max(newest)) AS newest_us FROM `{}`.ingestion_15m WHERE table_name = '{table}'",
            account.analytics_database()
        );
        let rows: Vec<NewestRow> = self.clickhouse.fetch(&sql).await?;
        let ingested_at =
            rows.first().filter(|row| row.rows > 0).and_then(|row| DateTime::from_timestamp_micros(row.newest_us));
        let mut newest = known.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = newest.entry(table).or_insert(Newest { ingested_at, asked: Instant::now() });
        *entry = Newest { ingested_at: entry.ingested_at.max(ingested_at), asked: Instant::now() };
        Ok(entry.ingested_at)
    }
}
