//! The spool as its users see it: rows go in and are on disk, each id once.
//!
//! One thread does all of it: what came in while it wrote is written next, together, with one fsync
//! for all. Ids are noted after their rows are on disk and before the answer, so that nothing is
//! called a duplicate that was not accepted.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::backlog::{Backlog, Waiting};
use super::disk::{Disk, Folder};
use super::ids::{Ids, KnownIds};
use super::index::Index;
use super::log::{AppendError, Damage, Log, LogConfig, Place};
use super::records::{BatchRecord, DoneRecord, RowsRecord, id_key};
use super::recovery::{self, Recovery};
use super::{Kind, Record};
use crate::config::Account;
use crate::rows::{Month, Rows, Table};

/// Rows of a group that are written together.
const MOST_ROWS: usize = 20_000;
/// How far apart writes are when several senders wait: each fsync costs CPU, whatever it writes.
const TOGETHER: Duration = Duration::from_millis(3);
/// Bytes of a segment, and how many of them a full spool has at least: what is inserted leaves it by segments.
const SEGMENT_BYTES: u64 = 64 << 20;
const FEWEST_SEGMENTS: u64 = 64;

/// A segment that is older is closed, whatever has come in, so that what was inserted does not stay on disk; and how often
/// that is looked at.
const CLOSED_AFTER: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The spool. Cheap to clone; it ends when the last clone is dropped.
#[derive(Clone)]
pub struct Spool {
    requests: mpsc::Sender<Request>,
    backlog: Arc<Backlog>,
}

/// What was accepted of a submission.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    pub accepted: u64,
    pub duplicates: u64,
}

/// Why nothing of a submission was accepted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refused {
    #[error("the spool is full: {bytes} of {capacity} bytes wait to be inserted")]
    Full { bytes: u64, capacity: u64 },
    #[error("the spool cannot be written: {0}")]
    Disk(String),
    #[error("the spool has stopped")]
    Stopped,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the spool in {folder} is in use by another process: one data folder, one process (CHARTWELL_DATA_DIR)")]
    InUse { folder: PathBuf },
    #[error("the spool in {folder} cannot be opened: {error} (CHARTWELL_DATA_DIR)")]
    Disk { folder: PathBuf, error: io::Error },
    #[error(
        "the index of known ids in {folder} cannot be opened: {error}. Without the folder the program starts, and may \
         take once more what was accepted before and comes again"
    )]
    Ids { folder: PathBuf, error: lsm_tree::Error },
    #[error("{0}")]
    Foreign(String),
}

enum Request {
    Commit {
        account: Account,
        rows: Vec<Rows>,
        answer: oneshot::Sender<Result<Accepted, Refused>>,
    },
    Begin {
        batch: BatchRecord,
        answer: oneshot::Sender<Result<(), Refused>>,
    },
    Finish {
        batch: DoneRecord,
        places: Vec<Place>,
    },
    Read {
        place: Place,
        answer: oneshot::Sender<io::Result<Vec<u8>>>,
    },
    /// Known ids were flushed, or could not be.
    Flushed,
    /// Time has passed.
    Look,
    Stop {
        answer: oneshot::Sender<()>,
    },
}

/// What was found when the spool was opened.
pub struct Opened {
    pub spool: Spool,
    /// What waits to be inserted, and everything that is accepted from now on.
    pub waiting: mpsc::UnboundedReceiver<Waiting>,
    /// Batches that were begun when the process ended, with their tokens.
    pub begun: Vec<(Uuid, Vec<Waiting>)>,
    pub damage: Damage,
}

impl Spool {
    /// Opens the spool of a data folder.
    pub fn open(data_dir: &Path, capacity_bytes: u64) -> Result<Opened, OpenError> {
        let folder = data_dir.join("spool");
        let disk_error = |error| OpenError::Disk { folder: folder.clone(), error };
        let disk = Folder::open(folder.join("log")).map_err(disk_error)?;
        let lock = File::create(folder.join("lock")).map_err(disk_error)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { folder }),
            Err(TryLockError::Error(error)) => return Err(disk_error(error)),
        }
        let now = Utc::now();
        let ids_folder = folder.join("ids");
        let ids_error = |error| OpenError::Ids { folder: ids_folder.clone(), error };
        let mut ids = KnownIds::open(&ids_folder, now).map_err(ids_error)?;
        let segment_bytes = SEGMENT_BYTES.min(capacity_bytes / FEWEST_SEGMENTS);
        let config = LogConfig { segment_bytes, capacity_bytes };
        let mut recovery = Recovery::default();
        let (log, damage) =
            Log::open(disk, config, |record| recovery.note(&record, &mut ids, now)).map_err(disk_error)?;
        let recovery::Outcome { waiting, begun, unfinished } = recovery.finish().map_err(OpenError::Foreign)?;

        let backlog = Arc::new(Backlog::default());
        let (queue, receiver) = mpsc::unbounded_channel();
        for waiting in waiting.iter().chain(begun.iter().flat_map(|(_, records)| records)) {
            backlog.add_found(waiting);
        }
        backlog.set_bytes(log.bytes());
        for waiting in waiting {
            // The receiver is in our hands.
            let _ = queue.send(waiting);
        }
        let (requests, arriving) = mpsc::channel(4_096);
        let ids = Index::new(ids_folder, ids);
        let (backlog_of, own) = (Arc::clone(&backlog), requests.downgrade());
        let unnoted = Vec::new();
        let committer = Committer { log, ids, queue, backlog: backlog_of, unfinished, unnoted, own, _lock: lock };
        thread::Builder::new().name("spool".to_owned()).spawn(move || committer.run(arriving)).map_err(disk_error)?;
        let spool = requests.downgrade();
        thread::Builder::new().name("spool-clock".to_owned()).spawn(move || look(&spool)).map_err(disk_error)?;
        Ok(Opened { spool: Self { requests, backlog }, waiting: receiver, begun, damage })
    }

    /// Commits rows of one account. When this returns `Ok`, they are on disk and will be inserted once;
    /// otherwise none of them was accepted.
    pub async fn commit(&self, account: &Account, rows: Vec<Rows>) -> Result<Accepted, Refused> {
        if rows.iter().all(Rows::is_empty) {
            return Ok(Accepted::default());
        }
        self.ask(|answer| Request::Commit { account: account.clone(), rows, answer }).await?
    }

    /// Notes, on disk, that a batch of these records is about to be inserted.
    pub async fn begin(&self, token: Uuid, places: &[Place]) -> Result<(), Refused> {
        let batch = BatchRecord { token, places: places.to_vec() };
        self.ask(|answer| Request::Begin { batch, answer }).await?
    }

    /// Notes that a batch was inserted. The note may be lost in a crash: then the batch is inserted
    /// again, with its token, which changes nothing.
    pub async fn finish(&self, token: Uuid, places: Vec<Place>) {
        // A spool that has stopped is found again as it was.
        let _ = self.requests.send(Request::Finish { batch: DoneRecord { token }, places }).await;
    }

    /// Reads the rows of a record again.
    pub async fn read(&self, place: Place) -> io::Result<Rows> {
        let stopped = || io::Error::other("the spool has stopped");
        let bytes = self.ask(|answer| Request::Read { place, answer }).await.map_err(|_| stopped())??;
        let record = RowsRecord::decode(&bytes).map_err(io::Error::other)?;
        Ok(record.rows.into_owned())
    }

    /// Ends the spool; what waits is found again when it is opened.
    pub async fn stop(&self) {
        let _ = self.ask(|answer| Request::Stop { answer }).await;
    }

    pub fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, Refused> {
        let (answer, wait) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| Refused::Stopped)?;
        wait.await.map_err(|_| Refused::Stopped)
    }
}

/// The thread that writes.
struct Committer<D: Disk> {
    log: Log<D>,
    ids: Index,
    queue: mpsc::UnboundedSender<Waiting>,
    backlog: Arc<Backlog>,
    /// The places of records that are not inserted yet.
    unfinished: BTreeSet<Place>,
    /// Batches that were inserted, which the disk did not take a note of: the next write has it.
    unnoted: Vec<(DoneRecord, Vec<Place>)>,
    /// To be told that a flush is over.
    own: mpsc::WeakSender<Request>,
    _lock: File,
}

/// What is written with one fsync.
#[derive(Default)]
struct Group {
    /// New rows by account, table and month.
    lanes: BTreeMap<(Account, Table, Month), Rows>,
    /// The keys of ids that come with them.
    keys: Ids,
    committing: Vec<(Accepted, oneshot::Sender<Result<Accepted, Refused>>)>,
    beginning: Vec<(BatchRecord, oneshot::Sender<Result<(), Refused>>)>,
    finishing: Vec<(DoneRecord, Vec<Place>)>,
    rows: usize,
}

impl Group {
    /// Adds what is new.
    fn take_new(&mut self, ids: &KnownIds, account: &Account, submitted: Vec<Rows>) -> lsm_tree::Result<Accepted> {
        let mut accepted = Accepted::default();
        // All ids are looked up before anything is added: a submission is taken as a whole or not at all.
        let mut known = Vec::with_capacity(submitted.len());
        for rows in &submitted {
            let keys: Vec<Vec<u8>> = rows.ids().map(|id| id_key(account, rows.table, id)).collect();
            let found = keys.iter().map(|key| ids.contains(key)).collect::<lsm_tree::Result<Vec<bool>>>()?;
            known.push((keys, found));
        }
        for (rows, (keys, mut known)) in submitted.into_iter().zip(known) {
            for (key, known) in keys.into_iter().zip(&mut known).filter(|(_, known)| !**known) {
                *known = !self.keys.insert(key);
            }
            let duplicates = known.iter().filter(|known| **known).count();
            accepted.duplicates += duplicates as u64;
            accepted.accepted += (rows.len() - duplicates) as u64;
            let new = if duplicates == 0 { rows } else { rows.filtered(|index| !known[index]) };
            self.rows += new.len();
            if !new.is_empty() {
                match self.lanes.entry((account.clone(), new.table, new.month)) {
                    Entry::Vacant(lane) => drop(lane.insert(new)),
                    Entry::Occupied(mut lane) => lane.get_mut().append(&new),
                }
            }
        }
        Ok(accepted)
    }
}

impl<D: Disk> Committer<D> {
    fn run(mut self, mut arriving: mpsc::Receiver<Request>) {
        let (mut wrote, mut had_company) = (Instant::now(), false);
        while let Some(request) = arriving.blocking_recv() {
            if had_company {
                // Those who waited together come together again.
                thread::sleep(TOGETHER.saturating_sub(wrote.elapsed()));
            }
            let mut group = Group::default();
            let mut next = Some(request);
            while let Some(request) = next {
                if let Request::Stop { answer } = request {
                    self.write(group);
                    let _ = answer.send(());
                    return;
                }
                self.gather(&mut group, request);
                next = if group.rows < MOST_ROWS { arriving.try_recv().ok() } else { None };
            }
            (wrote, had_company) = (Instant::now(), group.committing.len() > 1);
            self.write(group);
        }
    }

    fn gather(&mut self, group: &mut Group, request: Request) {
        match request {
            Request::Commit { account, rows, answer } => {
                let taken = match self.ids.known(&self.log) {
                    Some(ids) => group.take_new(ids, &account, rows),
                    None => return drop(answer.send(Err(broken()))),
                };
                match taken {
                    Ok(accepted) => group.committing.push((accepted, answer)),
                    Err(error) => {
                        self.ids.fail(&error);
                        let _ = answer.send(Err(broken()));
                    }
                }
            }
            Request::Begin { batch, answer } => group.beginning.push((batch, answer)),
            Request::Finish { batch, places } => group.finishing.push((batch, places)),
            Request::Read { place, answer } => {
                let _ = answer.send(self.log.read(place));
            }
            // It is seen after the next write, which is at once.
            Request::Flushed => {}
            Request::Look => {
                if let Err(error) = self.log.close_older_than(closed_after()) {
                    tracing::error!(%error, "old parts of the spool cannot be closed");
                }
            }
            Request::Stop { .. } => unreachable!("it ends the thread"),
        }
    }

    fn write(&mut self, group: Group) {
        let Group { lanes, keys, committing, beginning, mut finishing, .. } = group;
        finishing.append(&mut self.unnoted);
        let notes: Vec<(Kind, Vec<u8>)> = finishing
            .iter()
            .map(|(batch, _)| (Kind::Done, batch.encode()))
            .chain(beginning.iter().map(|(batch, _)| (Kind::Batch, batch.encode())))
            .collect();
        let accepted: Vec<(Kind, Vec<u8>)> =
            lanes.iter().map(|((account, ..), rows)| (Kind::Rows, RowsRecord::new(account, rows).encode())).collect();
        let together: Vec<Record<'_>> = notes.iter().chain(&accepted).map(record).collect();

        fail::fail_point!("spool-before-write", |_| std::process::abort());
        let mut written = if together.is_empty() { Ok(Vec::new()) } else { self.log.append(&together) };
        fail::fail_point!("spool-after-write", |_| std::process::abort());
        let (noted, mut committed) = match &mut written {
            Ok(places) => (Ok(()), Ok(places.split_off(notes.len()))),
            // What ends the life of rows finds room where new rows do not.
            Err(AppendError::Full { bytes, capacity }) => {
                let full = Refused::Full { bytes: *bytes, capacity: *capacity };
                let notes: Vec<Record<'_>> = notes.iter().map(record).collect();
                let noted = if notes.is_empty() { Ok(()) } else { self.log.append(&notes).map(drop) };
                (noted.map_err(|error| refused(&error)), Err(full))
            }
            Err(error) => (Err(refused(error)), Err(refused(error))),
        };

        if let Ok(places) = &committed {
            for (place, ((account, ..), rows)) in places.iter().zip(lanes) {
                let waiting = self.backlog.add(*place, account, rows);
                self.unfinished.insert(*place);
                // The writer is gone only when the process ends.
                let _ = self.queue.send(waiting);
            }
        }
        if committed.is_ok() && !self.ids.note(keys) {
            // The rows are on disk, but a duplicate of them could not be told.
            committed = Err(broken());
        }
        fail::fail_point!("spool-before-answer", |_| std::process::abort());
        let committed = committed.map(drop);
        for (accepted, answer) in committing {
            let _ = answer.send(committed.clone().map(|()| accepted));
        }
        for (_, answer) in beginning {
            let _ = answer.send(noted.clone());
        }
        if noted.is_ok() {
            for place in finishing.iter().flat_map(|(_, places)| places) {
                self.unfinished.remove(place);
            }
        } else {
            self.unnoted = finishing;
        }
        self.remove_segments();
        self.backlog.set_bytes(self.log.bytes());
    }

    /// Removes segments that nobody needs any more, when the ids of their records are on disk in the index.
    fn remove_segments(&mut self) {
        if let Some(segment) = self.ids.flushed()
            && let Err(error) = self.log.remove_before(segment)
        {
            tracing::error!(%error, "old parts of the spool cannot be removed");
            return;
        }
        let oldest = self.unfinished.first().map_or(u64::MAX, |place| place.segment);
        let over = self.log.closed_before(oldest);
        if over.is_some() || self.ids.are_many() {
            self.ids.known(&self.log);
            let own = self.own.clone();
            self.ids.flush(over.unwrap_or(0), move || {
                // Whoever has a full queue writes soon, and one who has ended does not need to know.
                if let Some(own) = own.upgrade() {
                    let _ = own.try_send(Request::Flushed);
                }
            });
        }
    }
}

/// Has the spool look at its age, until it has ended.
fn look(spool: &mpsc::WeakSender<Request>) {
    loop {
        thread::sleep(LOOK_EVERY.min(closed_after()));
        let Some(spool) = spool.upgrade() else { return };
        // One that has much to do is looked at later.
        let _ = spool.try_send(Request::Look);
    }
}

fn closed_after() -> Duration {
    fail::fail_point!("spool-closed-soon", |_| Duration::from_millis(200));
    CLOSED_AFTER
}

fn record((kind, payload): &(Kind, Vec<u8>)) -> Record<'_> {
    Record { kind: *kind, payload }
}

fn broken() -> Refused {
    Refused::Disk("the index of known ids is broken".to_owned())
}

fn refused(error: &AppendError) -> Refused {
    match error {
        AppendError::Full { bytes, capacity } => Refused::Full { bytes: *bytes, capacity: *capacity },
        error => {
            tracing::error!(%error, "the spool cannot be written");
            Refused::Disk(error.to_string())
        }
    }
}
