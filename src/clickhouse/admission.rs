//! Admission: how many questions run at once, and how long the others wait.
//!
//! Two cores answer two questions at a time; running ten at once makes all ten slow. So one more
//! runs than there are cores (while one is handed over, the others compute: with as many as cores,
//! a fifth of the machine was idle), a short queue waits with a deadline, and the rest is told to
//! come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::QueryError;
use crate::config::QueryConfig;

/// For so long after an insert another one is expected.
const INSERTING_FOR: Duration = Duration::from_secs(1);

pub struct Admission {
    slots: Arc<Semaphore>,
    concurrency: usize,
    cores: usize,
    waiting: AtomicUsize,
    queue: usize,
    patience: Duration,
    began: Instant,
    /// Until when rows come in, in milliseconds since it began.
    inserting_until: AtomicU64,
}

/// The right to run one question; given back when dropped.
pub struct Admitted {
    /// Threads that it may use: one for each core when it runs alone; one when others run or wait, or rows come
    /// in: beside a busy core, the work of two threads ends when the slower one does.
    pub threads: usize,
    _slot: OwnedSemaphorePermit,
}

impl Admission {
    pub fn new(config: &QueryConfig) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let concurrency = if config.query_concurrency == 0 { cores + 1 } else { config.query_concurrency };
        Self {
            slots: Arc::new(Semaphore::new(concurrency)),
            concurrency,
            cores,
            waiting: AtomicUsize::new(0),
            queue: config.query_queue,
            patience: Duration::from_secs(config.query_wait_seconds),
            began: Instant::now(),
            inserting_until: AtomicU64::new(0),
        }
    }

    /// Waits for a turn; refuses when the queue is full or the wait takes too long.
    pub async fn admit(&self) -> Result<Admitted, QueryError> {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(self.admitted(slot));
        }
        let place = Place::take(&self.waiting);
        if place.number > self.queue {
            return Err(QueryError::overloaded(format!("{} questions are waiting already", self.queue)));
        }
        match tokio::time::timeout(self.patience, Arc::clone(&self.slots).acquire_owned()).await {
            Ok(slot) => Ok(self.admitted(slot.expect("the semaphore is never closed"))),
            Err(_) => Err(QueryError::overloaded(format!("waited {} s for a turn", self.patience.as_secs()))),
        }
    }

    /// Notes that rows come in.
    pub fn note_insert(&self) {
        let until = self.began.elapsed() + INSERTING_FOR;
        self.inserting_until.store(until.as_millis() as u64, Ordering::Relaxed);
    }

    fn admitted(&self, slot: OwnedSemaphorePermit) -> Admitted {
        let alone = self.slots.available_permits() + 1 >= self.concurrency
            && self.waiting.load(Ordering::Relaxed) == 0
            && self.began.elapsed().as_millis() as u64 >= self.inserting_until.load(Ordering::Relaxed);
        Admitted { threads: if alone { self.cores } else { 1 }, _slot: slot }
    }
}

/// A place in the queue, left when dropped: also by those who stop waiting.
struct Place<'a> {
    waiting: &'a AtomicUsize,
    number: usize,
}

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Self {
        Self { waiting, number: waiting.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clickhouse::Failure;

    fn admission(concurrency: usize, queue: usize) -> Admission {
        Admission::new(&QueryConfig {
            query_concurrency: concurrency,
            query_queue: queue,
            query_wait_seconds: 1,
            ..QueryConfig::default()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_alone_gets_all_cores_and_others_one_each() {
        let admission = admission(2, 4);
        let all = admission.cores;
        let first = admission.admit().await.unwrap();
        assert_eq!(first.threads, all);
        assert_eq!(admission.admit().await.unwrap().threads, 1);
        drop(first);
        assert_eq!(admission.admit().await.unwrap().threads, all);
        admission.note_insert();
        assert_eq!(admission.admit().await.unwrap().threads, 1);
        tokio::time::advance(INSERTING_FOR).await;
        assert_eq!(admission.admit().await.unwrap().threads, all);
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_is_bounded_in_length_and_time() {
        let admission = admission(1, 1);
        let running = admission.admit().await.unwrap();
        let (waited, refused) = tokio::join!(admission.admit(), admission.admit());
        assert_eq!(refused.err().unwrap().message, "1 questions are waiting already");
        assert_eq!(waited.err().unwrap().failure, Failure::Overloaded);
        drop(running);
        assert!(admission.admit().await.is_ok());
    }
}
