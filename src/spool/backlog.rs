//! The backlog: what was accepted and is not inserted yet.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::Notify;

use super::log::Place;
use crate::config::Account;
use crate::rows::{Month, Rows, Table};

/// Bytes of rows that are kept in memory for their insert; those beyond it are read again.
const MOST_BYTES_IN_MEMORY: u64 = 16 << 20;

/// How much waits.
#[derive(Debug, Default)]
pub struct Backlog {
    rows: AtomicU64,
    bytes: AtomicU64,
    bytes_in_memory: AtomicU64,
    emptied: Notify,
}

/// A record that waits to be inserted.
#[derive(Debug)]
pub struct Waiting {
    pub place: Place,
    pub lane: Lane,
    pub rows: u64,
    pub since: Instant,
    /// The rows themselves, where they are still in memory.
    pub in_memory: Option<Rows>,
}

impl Waiting {
    /// Bytes of its record on disk.
    pub fn bytes(&self) -> u64 {
        self.place.length.into()
    }
}

/// What is inserted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    pub account: Account,
    pub table: Table,
    pub month: Month,
}

impl Backlog {
    /// Rows that wait.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Acquire)
    }

    /// Bytes of the spool on disk.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Resolves when nothing waits.
    pub async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.rows() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Notes that rows were inserted.
    pub fn remove(&self, rows: u64) {
        if self.rows.fetch_sub(rows, Ordering::AcqRel) == rows {
            self.emptied.notify_waiters();
        }
    }

    /// Takes the rows of a record out of memory, where they are there.
    pub fn take_from_memory(&self, waiting: &mut Waiting) -> Option<Rows> {
        let rows = waiting.in_memory.take()?;
        self.bytes_in_memory.fetch_sub(rows.size_bytes(), Ordering::Relaxed);
        Some(rows)
    }

    /// Notes rows that wait; keeps them in memory where there is room.
    pub(super) fn add(&self, place: Place, account: Account, rows: Rows) -> Waiting {
        let lane = Lane { account, table: rows.table, month: rows.month };
        let (count, bytes) = (rows.len() as u64, rows.size_bytes());
        self.rows.fetch_add(count, Ordering::AcqRel);
        let has_room = self.bytes_in_memory.load(Ordering::Relaxed) + bytes <= MOST_BYTES_IN_MEMORY;
        if has_room {
            self.bytes_in_memory.fetch_add(bytes, Ordering::Relaxed);
        }
        Waiting { place, lane, rows: count, since: Instant::now(), in_memory: has_room.then_some(rows) }
    }

    /// Notes rows that were found when the spool was opened.
    pub(super) fn add_found(&self, waiting: &Waiting) {
        self.rows.fetch_add(waiting.rows, Ordering::AcqRel);
    }

    pub(super) fn set_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }
}
