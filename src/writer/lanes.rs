//! Lanes: rows of one account, table and month, until they are a batch.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::batch::Batch;
use crate::spool::{Lane, Waiting};

/// Rows that are a batch by themselves. An insert costs the engine as much as 17,000 rows before its first one,
/// and every part is merged again and again, so a busy lane makes few batches, and large ones.
const BATCH_ROWS: u64 = 20_000;
/// Rows of a batch when more wait than that: what is behind is stored faster than it comes.
const MOST_ROWS: u64 = 50_000;
/// Bytes that are a batch by themselves, however few rows they are: they are in memory a few times over.
const MOST_BYTES: u64 = 20 << 20;
/// How often a busy lane is inserted, however few its rows are.
const EVERY: Duration = Duration::from_millis(400);

#[derive(Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<Lane, Queue>,
    is_in_a_hurry: bool,
}

#[derive(Default)]
struct Queue {
    records: VecDeque<Waiting>,
    rows: u64,
    bytes: u64,
    begun: Option<Instant>,
    /// Batches on their way: one, or those that were begun before a crash.
    running: usize,
}

impl Lanes {
    pub(super) fn push(&mut self, record: Waiting) {
        let queue = self.lanes.entry(record.lane.clone()).or_default();
        queue.rows += record.rows;
        queue.bytes += record.bytes();
        queue.records.push_back(record);
    }

    pub(super) fn begun(&mut self, lane: &Lane) {
        let queue = self.lanes.entry(lane.clone()).or_default();
        queue.begun = Some(Instant::now());
        queue.running += 1;
    }

    pub(super) fn ended(&mut self, lane: &Lane) {
        let Some(queue) = self.lanes.get_mut(lane) else { return };
        queue.running -= 1;
        if queue.running == 0 && queue.records.is_empty() && queue.begun.is_none_or(|begun| begun.elapsed() > EVERY) {
            self.lanes.remove(lane);
        }
    }

    /// From now on nothing waits for company.
    pub(super) fn hurry(&mut self) {
        self.is_in_a_hurry = true;
    }

    /// When the next batch is to begin.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.lanes.values().filter_map(|queue| queue.due(self.is_in_a_hurry)).min()
    }

    /// The batches that are to begin now.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Batch> {
        let mut batches = Vec::new();
        let is_in_a_hurry = self.is_in_a_hurry;
        for (lane, queue) in &mut self.lanes {
            if queue.due(is_in_a_hurry).is_some_and(|due| due <= now) {
                batches.push(Batch::new(Uuid::now_v7(), lane.clone(), queue.take_batch()));
            }
        }
        // What was quiet for a while is forgotten.
        self.lanes.retain(|_, queue| {
            queue.running > 0 || !queue.records.is_empty() || queue.begun.is_some_and(|begun| now - begun <= EVERY)
        });
        batches
    }
}

impl Queue {
    fn due(&self, is_in_a_hurry: bool) -> Option<Instant> {
        let oldest = self.records.front().filter(|_| self.running == 0)?;
        match self.begun {
            Some(begun) if self.rows < BATCH_ROWS && self.bytes < MOST_BYTES && !is_in_a_hurry => Some(begun + EVERY),
            _ => Some(oldest.since.into()),
        }
    }

    /// The oldest record, and those after it that fit.
    fn take_batch(&mut self) -> Vec<Waiting> {
        let (mut rows, mut bytes) = (0, 0);
        let fit = self.records.iter().take_while(|record| {
            rows += record.rows;
            bytes += record.bytes();
            rows <= MOST_ROWS && bytes <= MOST_BYTES
        });
        let count = fit.count().max(1).min(self.records.len());
        let batch: Vec<Waiting> = self.records.drain(..count).collect();
        self.rows -= batch.iter().map(|record| record.rows).sum::<u64>();
        self.bytes -= batch.iter().map(Waiting::bytes).sum::<u64>();
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Account;
    use crate::rows::{Month, Table};
    use crate::spool::Place;

    fn record(number: u64, rows: u64, length: u32) -> Waiting {
        let account = Account::try_from("acme".to_owned()).unwrap();
        let lane = Lane { account, table: Table::Events, month: Month::of("2026-02-01T00:00:00Z".parse().unwrap()) };
        let place = Place { segment: 1, offset: number, length };
        Waiting { place, lane, rows, since: std::time::Instant::now(), in_memory: None }
    }

    fn batches(records: impl IntoIterator<Item = Waiting>) -> Vec<usize> {
        let mut queue = Queue::default();
        for record in records {
            queue.rows += record.rows;
            queue.bytes += record.bytes();
            queue.records.push_back(record);
        }
        let mut sizes = Vec::new();
        while !queue.records.is_empty() {
            sizes.push(queue.take_batch().len());
        }
        assert_eq!((queue.rows, queue.bytes), (0, 0));
        sizes
    }

    #[test]
    fn a_batch_is_bounded_in_rows_and_bytes_and_has_one_record_at_least() {
        assert_eq!(batches((0..12).map(|number| record(number, 10_000, 1_000))), [5, 5, 2]);
        assert_eq!(batches((0..5).map(|number| record(number, 10, 8 << 20))), [2, 2, 1]);
        assert_eq!(batches((0..3).map(|number| record(number, 10, 64 << 20))), [1, 1, 1]);
        assert_eq!(batches([record(0, 90_000, 1), record(1, 1, 1)]), [1, 1]);
    }
}
