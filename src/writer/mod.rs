//! The writer: the one thing that inserts rows which were accepted.
//!
//! Rows of one account, table and month wait in a lane. A lane that was quiet is inserted at once, a busy
//! one every 400 ms or 20,000 rows; one that is behind makes larger batches. A batch's token is on disk before its
//! insert, so that a retry after an unknown outcome, also one after a crash, changes nothing, rollups included.

mod batch;
mod dead_letters;
mod inserter;
mod lanes;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::spool::{Lane, Spool, Waiting};

pub use batch::Batch;
pub use dead_letters::{DeadLetter, DeadLetters, ReplayError};
pub use inserter::Inserter;
use lanes::Lanes;

/// Records that are taken from the queue in one go.
const MOST_RECORDS: usize = 1_024;

/// The running writer.
pub struct Writer {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    spool: Spool,
}

impl Writer {
    /// Starts to insert: first the batches that were begun before a crash, then what waits.
    pub fn start(
        spool: Spool,
        resumed: Vec<Batch>,
        waiting: mpsc::UnboundedReceiver<Waiting>,
        inserter: Inserter,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let work = Work {
            inserter: Arc::new(inserter),
            spool: spool.clone(),
            lanes: Lanes::default(),
            running: JoinSet::new(),
            of_task: HashMap::new(),
        };
        let task = tokio::spawn(work.run(resumed, waiting, stopped));
        Self { stop, task, spool }
    }

    /// Inserts what waits, for so long at most, and ends. The rest is found again in the spool.
    pub async fn stop(self, patience: Duration) {
        let _ = self.stop.send(());
        if tokio::time::timeout(patience, self.spool.backlog().emptied()).await.is_err() {
            tracing::info!(rows = self.spool.backlog().rows(), "rows wait in the spool for the next start");
        }
        self.task.abort();
        self.spool.stop().await;
    }
}

struct Work {
    inserter: Arc<Inserter>,
    spool: Spool,
    lanes: Lanes,
    running: JoinSet<Lane>,
    /// The lanes of the batches that run.
    of_task: HashMap<Id, Lane>,
}

impl Work {
    async fn run(
        mut self,
        resumed: Vec<Batch>,
        mut waiting: mpsc::UnboundedReceiver<Waiting>,
        mut stop: oneshot::Receiver<()>,
    ) {
        for batch in resumed {
            self.begin(batch);
        }
        let mut arrived = Vec::with_capacity(MOST_RECORDS);
        let mut is_stopping = false;
        loop {
            let due = self.lanes.next_due();
            let is_due = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                count = waiting.recv_many(&mut arrived, MOST_RECORDS) => {
                    if count == 0 {
                        return;
                    }
                    arrived.drain(..).for_each(|record| self.lanes.push(record));
                }
                Some(ended) = self.running.join_next_with_id(), if !self.running.is_empty() => match ended {
                    Ok((id, lane)) => {
                        self.of_task.remove(&id);
                        self.lanes.ended(&lane);
                    }
                    Err(error) => {
                        tracing::error!(%error, "a batch ended in a panic; its rows are found again at the next start");
                        if let Some(lane) = self.of_task.remove(&error.id()) {
                            self.lanes.ended(&lane);
                        }
                    }
                },
                () = is_due => {}
                _ = &mut stop, if !is_stopping => {
                    is_stopping = true;
                    self.lanes.hurry();
                }
            }
            for batch in self.lanes.take_due(Instant::now()) {
                self.begin(batch);
            }
        }
    }

    fn begin(&mut self, batch: Batch) {
        let (inserter, spool) = (Arc::clone(&self.inserter), self.spool.clone());
        let lane = batch.lane.clone();
        self.lanes.begun(&lane);
        let task = self.running.spawn(async move { batch.run(&inserter, &spool).await });
        self.of_task.insert(task.id(), lane);
    }
}
