//! Known ids: what was accepted in the last one to two weeks, on disk, so that it is not counted twice.
//!
//! Ids are kept in generations of seven days, the present one and the one before, each a tree of its own; a whole
//! generation is forgotten at once. What is noted lies in memory until it is flushed: whoever opens the index
//! notes again the ids of what it kept elsewhere, and keeps it until they are flushed. The spool's log is a
//! journal already, and a storage engine with one more would write every id twice and read it at every start.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;
use lsm_tree::compaction::Leveled;
use lsm_tree::{AbstractTree, AnyTree, Cache, Config, SeqNo, SequenceNumberCounter};

/// Days of a generation; an id is known for that long at least, and for twice that at most.
const GENERATION_DAYS: i64 = 7;
/// Memory for blocks that were read.
const CACHE_BYTES: u64 = 16 << 20;
/// So many ids in memory should be flushed; four times as many are.
const MANY: usize = 100_000;
/// Bytes of a table. Ids come in no order, so what is merged into a level rewrites all of it: the first is small.
const TABLE_BYTES: u64 = 4 << 20;

/// Ids as they lie in memory.
pub type Ids = HashSet<Vec<u8>, RandomState>;

/// The index of known ids.
pub struct KnownIds {
    folder: PathBuf,
    cache: Arc<Cache>,
    generation: i64,
    present: Generation,
    before: Generation,
    /// What is not flushed.
    recent: Ids,
    flushing: Option<Flushing>,
    _lock: File,
}

/// The ids of seven days.
#[derive(Clone)]
struct Generation {
    tree: AnyTree,
    sequence: SequenceNumberCounter,
}

/// Ids on their way to the disk.
struct Flushing {
    ids: Arc<Ids>,
    /// Whether they got there.
    thread: JoinHandle<bool>,
}

impl KnownIds {
    /// Opens the index of a folder; makes it when it is missing.
    pub fn open(folder: &Path, now: DateTime<Utc>) -> lsm_tree::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.try_lock().map_err(io::Error::from)?;
        let cache = Arc::new(Cache::with_capacity_bytes(CACHE_BYTES));
        let generation = generation_of(now);
        let present = Generation::open(folder, generation, &cache)?;
        let before = Generation::open(folder, generation - 1, &cache)?;
        let (folder, recent) = (folder.to_owned(), Ids::default());
        let ids = Self { folder, cache, generation, present, before, recent, flushing: None, _lock: lock };
        ids.forget_older()?;
        Ok(ids)
    }

    /// Whether an id was noted.
    pub fn contains(&self, id: &[u8]) -> lsm_tree::Result<bool> {
        let is_in_memory =
            self.recent.contains(id) || self.flushing.as_ref().is_some_and(|flushing| flushing.ids.contains(id));
        Ok(is_in_memory || self.present.contains(id)? || self.before.contains(id)?)
    }

    /// Notes ids.
    pub fn note(&mut self, ids: impl IntoIterator<Item = Vec<u8>>, now: DateTime<Utc>) -> lsm_tree::Result<()> {
        self.turn_to(now)?;
        self.recent.extend(ids);
        if self.flushing.as_ref().is_some_and(|flushing| flushing.thread.is_finished()) {
            self.end_flush();
        }
        if self.recent.len() >= 4 * MANY { self.flush() } else { Ok(()) }
    }

    /// Whether it is time for a flush.
    pub fn are_many(&self) -> bool {
        self.recent.len() >= MANY
    }

    /// Makes durable what was noted.
    pub fn flush(&mut self) -> lsm_tree::Result<()> {
        self.end_flush();
        self.present.add(&self.recent)?;
        self.recent.clear();
        Ok(())
    }

    /// Makes durable what was noted until now, on a thread of its own, and says how that went.
    pub fn flush_beside(
        &mut self,
        finished: impl FnOnce(lsm_tree::Result<()>) + Send + 'static,
    ) -> lsm_tree::Result<()> {
        self.end_flush();
        let ids = Arc::new(std::mem::take(&mut self.recent));
        let (present, flushed) = (self.present.clone(), Arc::clone(&ids));
        let flush = move || {
            let result = present.add(&flushed);
            drop(flushed);
            let is_ok = result.is_ok();
            finished(result);
            is_ok
        };
        match thread::Builder::new().name("known-ids".to_owned()).spawn(flush) {
            Ok(thread) => self.flushing = Some(Flushing { ids, thread }),
            Err(error) => {
                self.recent = Arc::unwrap_or_clone(ids);
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Waits for a flush that is under way. What it could not make durable is still to be flushed.
    fn end_flush(&mut self) {
        if let Some(Flushing { ids, thread }) = self.flushing.take()
            && !thread.join().unwrap_or(false)
        {
            self.recent.extend(Arc::unwrap_or_clone(ids));
        }
    }

    /// Begins the generation of `now`, where it is a later one. A clock that goes back changes nothing.
    fn turn_to(&mut self, now: DateTime<Utc>) -> lsm_tree::Result<()> {
        let generation = generation_of(now);
        if generation <= self.generation {
            return Ok(());
        }
        self.flush()?;
        let present = Generation::open(&self.folder, generation, &self.cache)?;
        self.before = if generation == self.generation + 1 {
            self.present.clone()
        } else {
            Generation::open(&self.folder, generation - 1, &self.cache)?
        };
        self.present = present;
        self.generation = generation;
        self.forget_older()
    }

    fn forget_older(&self) -> lsm_tree::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let generation = entry.file_name().to_str().and_then(|name| name.parse::<i64>().ok());
            if generation.is_some_and(|generation| generation < self.generation - 1) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for KnownIds {
    fn drop(&mut self) {
        // Two must never write to one folder.
        self.end_flush();
    }
}

impl Generation {
    fn open(folder: &Path, generation: i64, cache: &Arc<Cache>) -> lsm_tree::Result<Self> {
        let sequence = SequenceNumberCounter::default();
        let path = folder.join(generation.to_string());
        let config = Config::new(path, sequence.clone(), SequenceNumberCounter::default());
        let tree = config.use_cache(Arc::clone(cache)).open()?;
        // Its own files are durable, its name in the folder is not yet.
        File::open(folder)?.sync_all()?;
        sequence.fetch_max(tree.get_highest_seqno().map_or(0, |highest| highest + 1));
        Ok(Self { tree, sequence })
    }

    fn contains(&self, id: &[u8]) -> lsm_tree::Result<bool> {
        self.tree.contains_key(id, SeqNo::MAX)
    }

    /// Adds ids as a table, and merges tables when there are many.
    fn add(&self, ids: &Ids) -> lsm_tree::Result<()> {
        fail::fail_point!("ids-before-flush", |_| std::process::abort());
        fail::fail_point!("ids-flush", |_| Err(io::Error::other("a flush that was made to fail").into()));
        if ids.is_empty() {
            return Ok(());
        }
        let mut sorted: Vec<&[u8]> = ids.iter().map(Vec::as_slice).collect();
        sorted.sort_unstable();
        let mut table = self.tree.ingestion()?;
        sorted.into_iter().try_for_each(|id| table.write(id, []))?;
        table.finish()?;
        fail::fail_point!("ids-after-flush", |_| std::process::abort());
        self.tree.compact(Arc::new(Leveled::default().with_table_target_size(TABLE_BYTES)), self.sequence.get())
    }
}

fn generation_of(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(86_400 * GENERATION_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> DateTime<Utc> {
        format!("2026-03-{day:02}T12:00:00Z").parse().unwrap()
    }

    #[test]
    fn an_id_is_known_for_seven_days_and_forgotten_after_fourteen() {
        let folder = tempfile::tempdir().unwrap();
        let mut ids = KnownIds::open(folder.path(), day(1)).unwrap();
        ids.note([b"first".to_vec()], day(1)).unwrap();
        for later in 2..=8 {
            ids.note([later.to_string().into_bytes()], day(later)).unwrap();
            assert!(ids.contains(b"first").unwrap(), "on day {later}");
        }
        ids.note([b"last".to_vec()], day(16)).unwrap();
        assert!(!ids.contains(b"first").unwrap());
        assert!(ids.contains(b"last").unwrap());
        // An hour's step back of the clock forgets nothing.
        ids.note([b"late".to_vec()], day(1)).unwrap();
        assert!(ids.contains(b"last").unwrap() && ids.contains(b"late").unwrap());
    }

    #[test]
    fn what_was_flushed_is_known_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut ids = KnownIds::open(folder.path(), day(1)).unwrap();
        let noted: Vec<[u8; 4]> = (0_u32..5_000).map(u32::to_be_bytes).collect();
        ids.note(noted.iter().map(|id| id.to_vec()), day(1)).unwrap();
        ids.flush().unwrap();
        drop(ids);
        let ids = KnownIds::open(folder.path(), day(9)).unwrap();
        assert!(noted.iter().all(|id| ids.contains(id).unwrap()));
        assert!(!ids.contains(&5_000_u32.to_be_bytes()).unwrap());
    }

    #[test]
    fn every_id_is_known_during_many_flushes_and_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let mut ids = KnownIds::open(folder.path(), day(1)).unwrap();
        let mut random = fastrand::Rng::with_seed(1);
        let noted: Vec<[u8; 16]> = (0..4_000).map(|_| random.u128(..).to_be_bytes()).collect();
        for (round, some) in noted.chunks(100).enumerate() {
            ids.note(some.iter().map(|id| id.to_vec()), day(1)).unwrap();
            let (told, outcome) = std::sync::mpsc::channel();
            ids.flush_beside(move |flushed| told.send(flushed.map_err(|error| error.to_string())).unwrap()).unwrap();
            let known = &noted[..100 * (round + 1)];
            assert!(known.iter().all(|id| ids.contains(id).unwrap()), "while it is flushed for the {round}th time");
            assert_eq!(outcome.recv().unwrap(), Ok(()));
            if round % 7 == 6 {
                drop(ids);
                ids = KnownIds::open(folder.path(), day(1)).unwrap();
                assert!(known.iter().all(|id| ids.contains(id).unwrap()), "after a restart in round {round}");
            }
            assert!(!ids.contains(&random.u128(..).to_be_bytes()).unwrap());
        }
        assert!(ids.present.tree.table_count() < 10, "{} tables", ids.present.tree.table_count());
    }

    #[test]
    fn one_process_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let _ids = KnownIds::open(folder.path(), day(1)).unwrap();
        assert!(matches!(KnownIds::open(folder.path(), day(1)), Err(lsm_tree::Error::Io(_))));
    }

    #[test]
    fn generations_that_are_over_are_gone_when_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let mut ids = KnownIds::open(folder.path(), day(1)).unwrap();
        ids.note([b"first".to_vec()], day(1)).unwrap();
        ids.flush().unwrap();
        drop(ids);
        let ids = KnownIds::open(folder.path(), day(20)).unwrap();
        assert!(!ids.contains(b"first").unwrap());
        let generations = fs::read_dir(folder.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
        assert_eq!(generations.count(), 2);
    }
}
