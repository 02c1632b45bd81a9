//! Known ids: what was accepted in the last one to two weeks, on disk, so that it is not counted twice.
//!
//! Ids are kept in generations of seven days, the present one and the one before; a whole generation
//! is forgotten at once. The index may be behind the log by what was not persisted: whoever opens both
//! notes the ids of the log's records again, and persists before a segment of the log is removed.

use std::path::Path;

use chrono::{DateTime, Utc};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

/// Days of a generation; an id is known for that long at least, and for twice that at most.
const GENERATION_DAYS: i64 = 7;
/// Memory for blocks that were read; what is written lies in memory besides, up to its own bound.
const CACHE_BYTES: u64 = 16 << 20;
const WRITTEN_BYTES: u64 = 24 << 20;

/// The index of known ids.
pub struct KnownIds {
    database: Database,
    generation: i64,
    present: Keyspace,
    before: Keyspace,
}

impl KnownIds {
    /// Opens the index of a folder; makes it when it is missing.
    pub fn open(folder: &Path, now: DateTime<Utc>) -> fjall::Result<Self> {
        let database =
            Database::builder(folder).cache_size(CACHE_BYTES).manual_journal_persist(true).worker_threads(1).open()?;
        let generation = generation_of(now);
        let present = open_generation(&database, generation)?;
        let before = open_generation(&database, generation - 1)?;
        let ids = Self { database, generation, present, before };
        ids.forget_older()?;
        Ok(ids)
    }

    /// Whether an id was noted.
    pub fn contains(&self, id: &[u8]) -> fjall::Result<bool> {
        Ok(self.present.contains_key(id)? || self.before.contains_key(id)?)
    }

    /// Notes ids, all of them or none.
    pub fn note<'a>(&mut self, ids: impl IntoIterator<Item = &'a [u8]>, now: DateTime<Utc>) -> fjall::Result<()> {
        self.turn_to(now)?;
        let mut batch = self.database.batch();
        for id in ids {
            batch.insert(&self.present, id, []);
        }
        batch.commit()
    }

    /// Makes durable what was noted.
    pub fn persist(&self) -> fjall::Result<()> {
        self.database.persist(PersistMode::SyncAll)
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> fjall::Result<u64> {
        self.database.disk_space()
    }

    /// Begins the generation of `now`, where it is a later one. A clock that goes back changes nothing.
    fn turn_to(&mut self, now: DateTime<Utc>) -> fjall::Result<()> {
        let generation = generation_of(now);
        if generation <= self.generation {
            return Ok(());
        }
        self.before = open_generation(&self.database, generation - 1)?;
        self.present = open_generation(&self.database, generation)?;
        self.generation = generation;
        self.forget_older()
    }

    fn forget_older(&self) -> fjall::Result<()> {
        for name in self.database.list_keyspace_names() {
            if name.parse::<i64>().is_ok_and(|generation| generation < self.generation - 1) {
                self.database.delete_keyspace(open(&self.database, &name)?)?;
            }
        }
        Ok(())
    }
}

fn generation_of(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(86_400 * GENERATION_DAYS)
}

fn open_generation(database: &Database, generation: i64) -> fjall::Result<Keyspace> {
    open(database, &generation.to_string())
}

fn open(database: &Database, name: &str) -> fjall::Result<Keyspace> {
    database.keyspace(name, || KeyspaceCreateOptions::default().max_memtable_size(WRITTEN_BYTES / 2))
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
        ids.note([b"first".as_slice()], day(1)).unwrap();
        for later in 2..=8 {
            ids.note([later.to_string().as_bytes()], day(later)).unwrap();
            assert!(ids.contains(b"first").unwrap(), "on day {later}");
        }
        ids.note([b"last".as_slice()], day(16)).unwrap();
        assert!(!ids.contains(b"first").unwrap());
        assert!(ids.contains(b"last").unwrap());
        // An hour's step back of the clock forgets nothing.
        ids.note([b"late".as_slice()], day(1)).unwrap();
        assert!(ids.contains(b"last").unwrap() && ids.contains(b"late").unwrap());
    }

    #[test]
    fn what_was_persisted_is_known_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut ids = KnownIds::open(folder.path(), day(1)).unwrap();
        let noted: Vec<[u8; 4]> = (0_u32..5_000).map(u32::to_be_bytes).collect();
        ids.note(noted.iter().map(<[u8; 4]>::as_slice), day(1)).unwrap();
        ids.persist().unwrap();
        drop(ids);
        let ids = KnownIds::open(folder.path(), day(9)).unwrap();
        assert!(noted.iter().all(|id| ids.contains(id).unwrap()));
        assert!(!ids.contains(&5_000_u32.to_be_bytes()).unwrap());
        assert!(ids.bytes().unwrap() > 0);
    }

    #[test]
    fn generations_that_are_over_are_gone_when_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let mut ids = KnownIds::open(folder.path(), day(1)).unwrap();
        ids.note([b"first".as_slice()], day(1)).unwrap();
        ids.persist().unwrap();
        drop(ids);
        let ids = KnownIds::open(folder.path(), day(20)).unwrap();
        assert!(!ids.contains(b"first").unwrap());
        assert_eq!(ids.database.keyspace_count(), 2);
    }
}
