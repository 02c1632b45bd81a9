//! A batch: tried until it is inserted, or until each of its rows is inserted or a dead letter.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use uuid::Uuid;

use super::inserter::{InsertError, Inserter};
use crate::rows::Rows;
use crate::spool::{Lane, Spool, Waiting};

const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

/// Records that are inserted together, under one token.
pub struct Batch {
    token: Uuid,
    pub lane: Lane,
    records: Vec<Waiting>,
}

/// Rows of a batch with the token that they are inserted under.
struct Piece {
    token: String,
    /// Those of each record by themselves: they are many bytes, and are not copied to be together.
    rows: Arc<[Rows]>,
}

impl Batch {
    pub fn new(token: Uuid, lane: Lane, records: Vec<Waiting>) -> Self {
        Self { token, lane, records }
    }

    /// Inserts the batch; ends when nothing of it is left to be done.
    pub(super) async fn run(mut self, inserter: &Inserter, spool: &Spool) -> Lane {
        let places: Vec<_> = self.records.iter().map(|record| record.place).collect();
        let mut patience = Patience::new(inserter);
        while let Err(error) = spool.begin(self.token, &places).await {
            patience.wait(&self.lane, &error.to_string()).await;
        }
        let mut pieces = vec![Piece { token: self.token.to_string(), rows: self.rows(spool, &mut patience).await }];
        while let Some(piece) = pieces.pop() {
            match inserter.insert(&self.lane, &piece.rows, &piece.token).await {
                Ok(()) => patience.reset(),
                Err(InsertError::Transient(reason)) => {
                    patience.wait(&self.lane, &reason).await;
                    pieces.push(piece);
                }
                Err(InsertError::Permanent(reason)) if piece.count() == 1 => {
                    let row = Rows::together(&piece.rows);
                    while let Err(error) = inserter.bury(&self.lane, &row, &reason, &piece.token).await {
                        patience.wait(&self.lane, &error).await;
                    }
                }
                // One row spoils its neighbours: the halves are tried apart, the same ones after a crash.
                Err(InsertError::Permanent(_)) => {
                    let rows = Rows::together(&piece.rows);
                    let middle = rows.len() / 2;
                    let half = |number: u8, keep: &dyn Fn(usize) -> bool| Piece {
                        token: format!("{}.{number}", piece.token),
                        rows: [rows.filtered(keep)].into(),
                    };
                    pieces.push(half(1, &|index| index >= middle));
                    pieces.push(half(0, &|index| index < middle));
                }
            }
        }
        fail::fail_point!("writer-before-finish", |_| std::process::abort());
        spool.finish(self.token, places).await;
        inserter.note_inserted(&self.lane, &self.records);
        spool.backlog().remove(self.records.iter().map(|record| record.rows).sum());
        self.lane
    }

    /// The rows of all records, those that are not in memory read again.
    async fn rows(&mut self, spool: &Spool, patience: &mut Patience<'_>) -> Arc<[Rows]> {
        let mut all = Vec::with_capacity(self.records.len());
        for record in &mut self.records {
            let rows = match spool.backlog().take_from_memory(record) {
                Some(rows) => rows,
                None => loop {
                    match spool.read(record.place).await {
                        Ok(rows) => break rows,
                        Err(error) => patience.wait(&self.lane, &format!("the spool cannot be read: {error}")).await,
                    }
                },
            };
            all.push(rows);
        }
        all.into()
    }
}

impl Piece {
    fn count(&self) -> usize {
        self.rows.iter().map(Rows::len).sum()
    }
}

/// How long to wait after a failure: twice as long each time, up to a quarter of an hour, or until
/// anything could be inserted again.
struct Patience<'i> {
    inserter: &'i Inserter,
    delays: backon::ExponentialBackoff,
}

impl<'i> Patience<'i> {
    fn new(inserter: &'i Inserter) -> Self {
        Self { inserter, delays: delays() }
    }

    fn reset(&mut self) {
        self.delays = delays();
    }

    async fn wait(&mut self, lane: &Lane, reason: &str) {
        let delay = self.delays.next().unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY);
        tracing::warn!(account = %lane.account, table = lane.table.name(), reason, retry_in_ms = delay.as_millis(), "rows could not be inserted yet");
        let _ = tokio::time::timeout(delay, self.inserter.recovered()).await;
    }
}

fn delays() -> backon::ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_DELAY)
        .with_max_delay(LONGEST_DELAY)
        .with_jitter()
        .without_max_times()
        .build()
}
