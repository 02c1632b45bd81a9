//! The insert itself: rows become a block, and the block is stored or refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{Notify, Semaphore};
use tracing::Instrument;

use super::dead_letters::DeadLetters;
use crate::clickhouse::native::JsonForm;
use crate::clickhouse::{ClickHouse, Freshness, QueryError};
use crate::rows::{BlockError, Counters, Rows};
use crate::spool::{Lane, Waiting};
use crate::traces;

/// Inserts at once: while one is encoded, another is stored.
const AT_ONCE: usize = 2;

/// Inserts blocks. Shared by all batches.
pub struct Inserter {
    clickhouse: ClickHouse,
    freshness: Arc<Freshness>,
    dead_letters: DeadLetters,
    counters: Arc<Counters>,
    slots: Semaphore,
    /// Whether the last insert failed for a reason that passes.
    is_failing: AtomicBool,
    recovered: Notify,
}

/// Why rows were not inserted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsertError {
    #[error("it may work later: {0}")]
    Transient(String),
    #[error("refused for good: {0}")]
    Permanent(String),
}

impl Inserter {
    pub fn new(clickhouse: ClickHouse, freshness: Arc<Freshness>, counters: Arc<Counters>) -> Self {
        Self {
            dead_letters: DeadLetters::new(clickhouse.clone()),
            clickhouse,
            freshness,
            counters,
            slots: Semaphore::new(AT_ONCE),
            is_failing: AtomicBool::new(false),
            recovered: Notify::new(),
        }
    }

    /// Inserts rows under a token. The same rows under the same token again change nothing.
    pub async fn insert(&self, lane: &Lane, rows: &Arc<[Rows]>, token: &str) -> Result<(), InsertError> {
        let count = rows.iter().map(Rows::len).sum();
        let span = traces::insert(lane.table.name(), lane.account.as_str(), count);
        let started = Instant::now();
        let outcome = self.insert_in_turn(lane, rows, token).instrument(span.clone()).await;
        let result = match &outcome {
            Ok(()) => "inserted",
            Err(InsertError::Transient(_)) => "to_be_tried_again",
            Err(InsertError::Permanent(_)) => "refused",
        };
        if outcome.is_err() {
            traces::note_failure(&span, result);
        }
        let table = lane.table.name();
        metrics::counter!("chartwell_inserts_total", "table" => table, "result" => result).increment(1);
        metrics::histogram!("chartwell_insert_seconds", "table" => table).record(started.elapsed().as_secs_f64());
        outcome
    }

    async fn insert_in_turn(&self, lane: &Lane, rows: &Arc<[Rows]>, token: &str) -> Result<(), InsertError> {
        let _slot = self.slots.acquire().await.expect("the semaphore is never closed");
        let block = encode(Arc::clone(rows)).await?;
        let table = format!("`{}`.{}", lane.account.analytics_database(), lane.table.name());
        fail::fail_point!("writer-before-insert", |_| std::process::abort());
        let inserted = self.clickhouse.insert_block(&table, &lane.table.column_names(), block, token).await;
        fail::fail_point!("writer-after-insert", |_| std::process::abort());
        match inserted {
            Ok(()) => {
                let newest = rows.iter().map(Rows::accepted_at).max().unwrap_or_default();
                self.freshness.note(&lane.account, lane.table.name(), newest);
                if self.is_failing.swap(false, Ordering::AcqRel) {
                    self.recovered.notify_waiters();
                }
                Ok(())
            }
            Err(error) if error.is_transient() => {
                self.is_failing.store(true, Ordering::Release);
                Err(InsertError::Transient(error.message))
            }
            // Table and views are not one transaction. What the table has under this token must not be
            // inserted under another; a view that refuses it has to be mended.
            Err(error) => match self.has_some(lane, rows).await {
                Ok(false) => Err(InsertError::Permanent(error.message)),
                Ok(true) => Err(InsertError::Transient(format!(
                    "the table has the rows, and a view refuses them: {}",
                    error.message
                ))),
                Err(unknown) => Err(InsertError::Transient(unknown.message)),
            },
        }
    }

    /// Whether the table has any of these rows.
    async fn has_some(&self, lane: &Lane, rows: &[Rows]) -> Result<bool, QueryError> {
        let ids: Vec<String> = rows.iter().flat_map(Rows::ids).map(|id| lane.table.id_text(id)).collect();
        let stored = lane.table.stored_ids(&self.clickhouse, &lane.account, &ids, lane.month.times()).await?;
        Ok(!stored.is_empty())
    }

    /// Lays a row among the dead letters.
    pub async fn bury(&self, lane: &Lane, row: &Rows, reason: &str, token: &str) -> Result<(), String> {
        tracing::error!(account = %lane.account, table = lane.table.name(), reason, "a row was refused for good: it is a dead letter now");
        self.dead_letters.add(lane, row, reason, token).await.map_err(|error| error.message)?;
        self.counters.note_dead(&lane.account, lane.table);
        Ok(())
    }

    pub fn dead_letters(&self) -> &DeadLetters {
        &self.dead_letters
    }

    /// Resolves when an insert succeeds after others failed.
    pub async fn recovered(&self) {
        self.recovered.notified().await;
    }

    /// Notes that records can be read, and how long that took.
    pub fn note_inserted(&self, lane: &Lane, records: &[Waiting]) {
        for record in records {
            self.counters.note_inserted(&lane.account, lane.table, record.rows, record.since.elapsed());
        }
    }
}

/// The block of rows, made on a thread of its own: it takes a core for some milliseconds.
async fn encode(rows: Arc<[Rows]>) -> Result<Vec<Bytes>, InsertError> {
    let encoding = tokio::task::spawn_blocking(move || {
        let table = rows[0].table;
        match table.block(&rows, JsonForm::Columns) {
            Err(BlockError::TooWide) => table.block(&rows, JsonForm::Text),
            block => block,
        }
    });
    match encoding.await {
        Ok(block) => block.map_err(|error| InsertError::Permanent(error.to_string())),
        Err(error) => Err(InsertError::Permanent(format!("the rows cannot be encoded: {error}"))),
    }
}
