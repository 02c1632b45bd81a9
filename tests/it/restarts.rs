//! The spool over restarts: a process that is killed leaves what it has written, and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, io};

use chartwell::ingest::event::{self, Reading};
use chartwell::json;
use chartwell::rows::{Month, Rows, Table};
use chartwell::spool::{Accepted, Damage, Opened, Place, Refused, Spool, Waiting};
use chrono::Utc;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;

use crate::program::Program;
use crate::support::{account, claims, eventually, sign};

/// Small, so that segments come and go.
const CAPACITY: u64 = 40_000;

/// Rows with these ids.
fn rows(ids: &[Uuid]) -> Rows {
    let now = Utc::now();
    let mut rows = Rows::new(Table::Events, Month::of(now), now);
    for id in ids {
        let text = json!({"event": "e", "event_id": id}).to_string();
        let reading = Reading { now, retention_days: 0, salt: "" };
        rows.push(&event::read(json::read(&text).unwrap(), reading).unwrap());
    }
    rows
}

fn some_id(random: &mut fastrand::Rng) -> Uuid {
    Uuid::from_u64_pair(random.u64(..), random.u64(..))
}

/// A copy of the folder, as the system has it at this moment: when something changed meanwhile, it is made again.
fn copied(from: &Path) -> TempDir {
    fn copy(from: &Path, to: &Path) -> io::Result<()> {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let to = to.join(entry.file_name());
            if entry.path().is_dir() { copy(&entry.path(), &to)? } else { fs::copy(entry.path(), to).map(drop)? }
        }
        Ok(())
    }
    fn seen(folder: &Path, found: &mut BTreeMap<PathBuf, (u64, SystemTime)>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (path, metadata) = (entry.path(), entry.metadata()?);
            if metadata.is_dir() {
                seen(&path, found)?;
            }
            found.insert(path, (metadata.len(), metadata.modified()?));
        }
        Ok(())
    }
    loop {
        let (mut before, mut after, to) = (BTreeMap::new(), BTreeMap::new(), tempfile::tempdir().unwrap());
        let copied = seen(from, &mut before).and_then(|()| copy(from, to.path())).and_then(|()| seen(from, &mut after));
        if copied.is_ok() && before == after {
            return to;
        }
    }
}

/// A spool, and what it has promised.
struct Promises {
    folder: TempDir,
    spool: Spool,
    waiting: UnboundedReceiver<Waiting>,
    accepted: Vec<Uuid>,
    /// Ids by the record that they are in.
    unfinished: BTreeMap<Place, Vec<Uuid>>,
    begun: BTreeMap<Uuid, BTreeSet<Place>>,
    random: fastrand::Rng,
}

impl Promises {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let Opened { spool, waiting, .. } = Spool::open(folder.path(), CAPACITY).unwrap();
        let random = fastrand::Rng::with_seed(seed);
        let (accepted, unfinished, begun) = Default::default();
        Self { folder, spool, waiting, accepted, unfinished, begun, random }
    }

    /// Some ids, a third of them not new.
    fn some_ids(&mut self) -> Vec<Uuid> {
        let count = 1 + self.random.usize(..8);
        let mut ids: Vec<Uuid> = Vec::with_capacity(count);
        for _ in 0..count {
            let known = self.accepted.iter().chain(&ids).count();
            let id = match self.random.u8(..3) {
                0 if known > 0 => *self.accepted.iter().chain(&ids).nth(self.random.usize(..known)).unwrap(),
                _ => some_id(&mut self.random),
            };
            ids.push(id);
        }
        ids
    }

    async fn commit(&mut self) {
        let ids = self.some_ids();
        let known: BTreeSet<Uuid> = self.accepted.iter().copied().collect();
        let new: BTreeSet<Uuid> = ids.iter().copied().filter(|id| !known.contains(id)).collect();
        match self.spool.commit(&account("killed"), vec![rows(&ids)]).await {
            Ok(told) => {
                let wanted = Accepted { accepted: new.len() as u64, duplicates: (ids.len() - new.len()) as u64 };
                assert_eq!(told, wanted);
                self.accepted.extend(&new);
                let mut handed_over = BTreeSet::new();
                while let Ok(record) = self.waiting.try_recv() {
                    let ids = self.ids_of(record.place).await;
                    handed_over.extend(ids.iter().copied());
                    assert_eq!(self.unfinished.insert(record.place, ids), None);
                }
                assert_eq!(handed_over, new);
            }
            Err(Refused::Full { .. }) => self.finish(true).await,
            Err(error) => panic!("{error}"),
        }
    }

    async fn ids_of(&self, place: Place) -> Vec<Uuid> {
        let rows = self.spool.read(place).await.unwrap();
        rows.ids().map(|id| Uuid::from_slice(id).unwrap()).collect()
    }

    async fn begin(&mut self) {
        let taken: BTreeSet<Place> = self.begun.values().flatten().copied().collect();
        let free = self.unfinished.keys().filter(|place| !taken.contains(*place));
        let places: Vec<Place> = free.copied().take(1 + self.random.usize(..4)).collect();
        let token = some_id(&mut self.random);
        self.spool.begin(token, &places).await.unwrap();
        // A batch of nothing is over.
        if !places.is_empty() {
            self.begun.insert(token, places.into_iter().collect());
        }
    }

    /// Finishes what was begun, some of it or all.
    async fn finish(&mut self, all: bool) {
        while let Some((token, places)) = self.begun.pop_first() {
            places.iter().for_each(|place| drop(self.unfinished.remove(place)));
            self.spool.finish(token, places.into_iter().collect()).await;
            if !all && self.random.bool() {
                break;
            }
        }
        // Nobody waits for these notes; the one after them is on disk when it returns.
        self.spool.begin(some_id(&mut self.random), &[]).await.unwrap();
    }

    async fn restart(&mut self) {
        let folder = copied(self.folder.path());
        let Opened { spool, waiting, begun, damage } = Spool::open(folder.path(), CAPACITY).unwrap();
        assert_eq!(damage, Damage::default());
        let begun: BTreeMap<Uuid, BTreeSet<Place>> = begun
            .into_iter()
            .map(|(token, records)| (token, records.iter().map(|record| record.place).collect()))
            .collect();
        assert_eq!(begun, self.begun);
        (self.spool, self.waiting, self.folder) = (spool, waiting, folder);
        let mut found: BTreeMap<Place, Vec<Uuid>> = BTreeMap::new();
        let mut places: Vec<Place> = begun.into_values().flatten().collect();
        while let Ok(record) = self.waiting.try_recv() {
            places.push(record.place);
        }
        for place in places {
            assert_eq!(found.insert(place, self.ids_of(place).await), None, "twice");
        }
        assert_eq!(found, self.unfinished);
    }
}

#[tokio::test]
async fn a_spool_that_is_killed_again_and_again_has_each_id_once_until_it_is_finished() {
    for seed in 0..2 {
        let mut promises = Promises::new(seed);
        for _ in 0..8 {
            for _ in 0..promises.random.usize(20..60) {
                match promises.random.u8(..8) {
                    0 => promises.begin().await,
                    1 => promises.finish(false).await,
                    _ => promises.commit().await,
                }
            }
            promises.restart().await;
        }
        assert!(promises.accepted.len() > 400, "{}", promises.accepted.len());
        let segments: Vec<String> = fs::read_dir(promises.folder.path().join("spool/log"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(!segments.contains(&"0000000000000000.log".to_owned()), "the first segment was never removed");
    }
}

#[tokio::test]
async fn a_spool_of_any_size_has_room_again_when_everything_is_inserted() {
    let mut random = fastrand::Rng::with_seed(1);
    for capacity in [20_000, 64 << 10, 1 << 20] {
        let folder = tempfile::tempdir().unwrap();
        let Opened { spool, mut waiting, .. } = Spool::open(folder.path(), capacity).unwrap();
        let mut commit = async || {
            let ids: Vec<Uuid> = (0..20).map(|_| some_id(&mut random)).collect();
            spool.commit(&account("small_spool"), vec![rows(&ids)]).await
        };
        for round in 0..3 {
            let mut committed = 0;
            let refused = loop {
                match commit().await {
                    Ok(_) => committed += 1,
                    Err(error) => break error,
                }
            };
            assert!(matches!(refused, Refused::Full { .. }), "{refused}");
            assert!(committed > 2, "{committed} in round {round} of a spool of {capacity} bytes");
            while let Ok(record) = waiting.try_recv() {
                spool.finish(Uuid::now_v7(), vec![record.place]).await;
            }
            // Until the ids of what was inserted are on disk as well, there is no room.
            let patience = Instant::now() + Duration::from_secs(60);
            while commit().await.is_err() {
                assert!(Instant::now() < patience, "no room again in a spool of {capacity} bytes");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

#[tokio::test]
async fn a_disk_that_did_not_take_the_note_of_an_insert_has_room_again_when_it_does() {
    let mut random = fastrand::Rng::with_seed(2);
    let folder = tempfile::tempdir().unwrap();
    let Opened { spool, mut waiting, .. } = Spool::open(folder.path(), 64 << 10).unwrap();
    let mut commit = async || {
        let ids: Vec<Uuid> = (0..20).map(|_| some_id(&mut random)).collect();
        spool.commit(&account("unnoted"), vec![rows(&ids)]).await
    };
    // Each of these fills a segment, and the note would be in the next one.
    while commit().await.is_ok() {}
    let [log, away] = ["spool/log", "spool/away"].map(|name| folder.path().join(name));
    fs::rename(&log, &away).unwrap();
    while let Ok(record) = waiting.try_recv() {
        spool.finish(Uuid::now_v7(), vec![record.place]).await;
    }
    assert!(matches!(spool.begin(Uuid::now_v7(), &[]).await, Err(Refused::Disk(_))));
    fs::rename(&away, &log).unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while commit().await.is_err() {
        assert!(Instant::now() < patience, "no room again");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether a text is in a file of the spool's log.
fn is_in_log(folder: &Path, text: &str) -> bool {
    let files = fs::read_dir(folder.join("spool/log")).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter_map(|path| fs::read(path).ok())
        .any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_inserted_leaves_the_spool_of_a_quiet_server() {
    let folder = tempfile::tempdir().unwrap();
    let send = async |program: &Program, visitor: &str| {
        let event = json!({"event": "Send Message", "visitor_id": visitor, "data": {"text_length": 1}});
        let url = format!("{}/api/v1/events", program.url);
        let token = sign(&claims("quiet_spool"));
        let response = reqwest::Client::new().post(url).bearer_auth(token).json(&event).send().await.unwrap();
        assert_eq!(response.status(), 202);
    };
    let program = Program::start(folder.path(), "quiet_spool");
    send(&program, "visitor-of-before").await;
    drop(program);
    assert!(is_in_log(folder.path(), "visitor-of-before"));
    let program = Program::start_with(folder.path(), "quiet_spool", &[("FAILPOINTS", "spool-closed-soon=return")]);
    send(&program, "visitor-of-now").await;
    let left = || ["visitor-of-before", "visitor-of-now"].map(|visitor| is_in_log(folder.path(), visitor));
    eventually(Duration::from_secs(60), || async { left() == [false, false] }).await;
}
