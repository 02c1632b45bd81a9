//! The index of known ids as the committer uses it: flushed beside its work, and opened anew when it fails.

use std::path::PathBuf;
use std::sync::mpsc::{self, TryRecvError};
use std::time::{Duration, Instant};

use chrono::Utc;

use super::disk::Disk;
use super::ids::KnownIds;
use super::log::Log;
use super::recovery;

/// How often a broken index is opened anew.
const REOPEN_AFTER: Duration = Duration::from_millis(500);

/// The index of known ids. After a failure nobody knows what it has, so it is opened anew, and the ids of
/// all records of the log are noted again; until that works, nothing is accepted.
pub(super) struct Index {
    folder: PathBuf,
    ids: Option<KnownIds>,
    flushing: Option<Flushing>,
    failed: Option<Instant>,
}

/// Ids on their way to the disk: those of all records in the segments before `segment`, and more.
struct Flushing {
    segment: u64,
    outcome: mpsc::Receiver<lsm_tree::Result<()>>,
}

impl Index {
    pub(super) fn new(folder: PathBuf, ids: KnownIds) -> Self {
        Self { folder, ids: Some(ids), flushing: None, failed: None }
    }

    /// The index; opened anew when it is broken, and it is time.
    pub(super) fn known<D: Disk>(&mut self, log: &Log<D>) -> Option<&KnownIds> {
        if self.ids.is_none() && self.failed.is_none_or(|failed| failed.elapsed() >= REOPEN_AFTER) {
            match self.reopened(log) {
                Ok(ids) => {
                    tracing::info!("the index of known ids is open again");
                    self.ids = Some(ids);
                }
                Err(error) => self.fail(&*error),
            }
        }
        self.ids.as_ref()
    }

    fn reopened<D: Disk>(&self, log: &Log<D>) -> Result<KnownIds, Box<dyn std::error::Error>> {
        let now = Utc::now();
        let mut ids = KnownIds::open(&self.folder, now)?;
        let mut outcome = Ok(());
        log.records(|record| {
            if outcome.is_ok() {
                outcome = recovery::note_ids(&record, &mut ids, now);
            }
        })?;
        outcome?;
        Ok(ids)
    }

    /// Whether it is time for a flush.
    pub(super) fn are_many(&self) -> bool {
        self.ids.as_ref().is_some_and(KnownIds::are_many)
    }

    /// Notes ids whose records were written; `false` when that fails. A broken index will find them in the log.
    pub(super) fn note(&mut self, ids: impl IntoIterator<Item = Vec<u8>>) -> bool {
        let noted = self.ids.as_mut().map_or(Ok(()), |known| known.note(ids, Utc::now()));
        noted.inspect_err(|error| self.fail(error)).is_ok()
    }

    /// Begins to make durable what was noted, which is needed before the segments before `segment` may go.
    pub(super) fn flush(&mut self, segment: u64, wake: impl FnOnce() + Send + 'static) {
        let Some(ids) = self.ids.as_mut().filter(|_| self.flushing.is_none()) else { return };
        let (told, outcome) = mpsc::channel();
        let finished = move |result| {
            let _ = told.send(result);
            wake();
        };
        match ids.flush_beside(finished) {
            Ok(()) => self.flushing = Some(Flushing { segment, outcome }),
            Err(error) => self.fail(&error),
        }
    }

    /// When a flush has ended well: the segments before this one may go.
    pub(super) fn flushed(&mut self) -> Option<u64> {
        let Flushing { segment, outcome } = self.flushing.take()?;
        match outcome.try_recv() {
            Ok(Ok(())) => return Some(segment),
            Ok(Err(error)) => self.fail(&error),
            Err(TryRecvError::Disconnected) => self.fail("the thread that flushed has panicked"),
            Err(TryRecvError::Empty) => self.flushing = Some(Flushing { segment, outcome }),
        }
        None
    }

    pub(super) fn fail(&mut self, error: &(impl std::fmt::Display + ?Sized)) {
        tracing::error!(%error, "the index of known ids is broken; it will be opened anew");
        self.ids = None;
        self.flushing = None;
        self.failed = Some(Instant::now());
    }
}
