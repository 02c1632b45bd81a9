//! The engine of this process: one folder, one control connection, worker threads.
//!
//! Every statement gets a fresh connection that is closed after it; a few are opened ahead. That removes leaks of `SET`,
//! `USE` and temporary tables, and the mark that a cancel leaves behind to fail the next innocent
//! statement (error 394). The control connection stays open for the life of the process, which
//! keeps the engine running, and kills statements that nobody waits for any more.

use std::ffi::CString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, Semaphore, mpsc, oneshot};

use super::call::Call;
use super::format::Header;
use super::library::{Connection, EngineException, Library, LoadError, Output, Parameters, Summary};
use super::tuning;

/// Threads that run statements; admission keeps their number far lower in ordinary life.
const WORKERS: usize = 96;
/// Statements at once: fewer than the threads, so that a kill always finds one.
const STATEMENTS: usize = WORKERS - 16;
/// The engine recurses deeply; the default stack of a thread overflows.
const STACK_BYTES: usize = 16 << 20;
const KILL_AGAIN_AFTER: Duration = Duration::from_millis(15);
/// Connections that are opened ahead, which takes 0.3 ms: as many as questions usually run at once.
const SPARES: usize = 4;

/// What the engine needs to start.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    pub library: Option<PathBuf>,
    /// Folder of the data; made when it is missing.
    pub folder: PathBuf,
    /// Bound on the engine's memory.
    pub memory_bytes: u64,
    /// Folder that backups may be written to, by its whole path.
    pub backups: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(
        "{folder} is in use by another process: one data folder, one process (set CHARTWELL_DATA_DIR to another folder)"
    )]
    FolderInUse { folder: PathBuf },
    #[error("the data folder {folder} cannot be used: {reason} (CHARTWELL_DATA_DIR)")]
    Folder { folder: PathBuf, reason: io::Error },
    #[error("the embedded engine refused to open {folder}; it may come from a newer release")]
    Refused { folder: PathBuf },
}

/// The running engine. There is one in a process, and it never stops before the process does.
pub struct Engine {
    library: Arc<Library>,
    arguments: Vec<CString>,
    control: Mutex<Connection>,
    spares: Mutex<Vec<Connection>>,
    workers: tokio::runtime::Runtime,
    slots: Arc<Semaphore>,
    statements: AtomicU64,
    threads_may_yield: bool,
    /// Held for reading by inserts, for as long as they run.
    inserting: Arc<RwLock<()>>,
    /// Connections of other processes that have ended.
    guests: AtomicU64,
    _lock: File,
}

impl Engine {
    /// Loads the library and opens the folder.
    pub fn start(config: &EngineConfig) -> Result<&'static Self, StartError> {
        let folder_error = |reason| StartError::Folder { folder: config.folder.clone(), reason };
        fs::create_dir_all(&config.folder).map_err(folder_error)?;
        // With a relative path the engine cannot fsync the folder of a part.
        let folder = config.folder.canonicalize().map_err(folder_error)?;
        let lock = lock(&folder)?;
        let settings = folder.join("engine.xml");
        fs::write(&settings, tuning::engine_settings(config.memory_bytes, &config.backups.to_string_lossy()))
            .map_err(folder_error)?;

        let library = Library::load(config.library.as_deref())?;
        let place = [
            "clickhouse".to_owned(),
            format!("--path={}", folder.join("engine").display()),
            format!("--config-file={}", settings.display()),
        ];
        let arguments: Vec<CString> = place
            .into_iter()
            .chain(tuning::OF_CONNECTIONS.map(str::to_owned))
            .map(|argument| CString::new(argument).expect("a path without NUL"))
            .collect();
        let control = library.connect(&arguments).ok_or(StartError::Refused { folder })?;
        let workers = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(WORKERS)
            .thread_stack_size(STACK_BYTES)
            .thread_name("engine")
            .enable_time()
            .build()
            .map_err(folder_error)?;
        workers.spawn(tuning::let_merges_yield());
        Ok(Box::leak(Box::new(Self {
            library,
            arguments,
            control: Mutex::new(control),
            spares: Mutex::default(),
            workers,
            slots: Arc::new(Semaphore::new(STATEMENTS)),
            statements: AtomicU64::new(0),
            threads_may_yield: tuning::threads_may_yield(),
            inserting: Arc::default(),
            guests: AtomicU64::new(0),
            _lock: lock,
        })))
    }

    /// Whether a statement may ask for threads that yield to others.
    pub fn threads_may_yield(&self) -> bool {
        self.threads_may_yield
    }

    /// Grows when others than this process may have changed something.
    pub fn guests(&self) -> u64 {
        self.guests.load(Ordering::Acquire)
    }

    pub(super) fn note_guest(&self) {
        self.guests.fetch_add(1, Ordering::Release);
    }

    /// Says that an insert runs, until this is dropped; waits while none may begin.
    pub(super) async fn inserting(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.inserting).read_owned().await
    }

    /// Waits for the inserts that run; until this is dropped no other one begins.
    pub(super) async fn hold_inserts(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.inserting).write_owned().await
    }

    /// Runs a statement whose answer is small or none.
    pub async fn execute(&'static self, mut call: Call) -> Result<Whole, EngineException> {
        let running = self.running(&mut call).await;
        let (answer, wait) = oneshot::channel();
        running.spawn(move || {
            let (outcome, _used) = match self.open(&call) {
                Err(error) => (Err(error), None),
                Ok(mut connection) => {
                    let started = Instant::now();
                    let output = connection.query(&call.text(), &call.format, &call.parameters);
                    let elapsed_seconds = started.elapsed().as_secs_f64();
                    let whole = |output: Output| Whole {
                        bytes: Bytes::copy_from_slice(output.bytes()),
                        summary: Summary { elapsed_seconds, ..output.summary() },
                    };
                    (output.map(whole), Some(connection))
                }
            };
            // First the answer, then the connection is closed.
            let _ = answer.send(outcome);
        });
        let outcome = wait.await;
        running.disarm();
        outcome.unwrap_or_else(|_| Err(lost()))
    }

    /// Runs a statement and gives its rows as they come, in a format whose chunks can be joined.
    ///
    /// Two chunks are fetched before this returns: most failures come before them, and a small
    /// answer is then complete, with its final counters.
    pub async fn select(&'static self, mut call: Call) -> Result<Rows, EngineException> {
        let running = self.running(&mut call).await;
        let (head, wait) = oneshot::channel();
        running.spawn(move || self.stream_rows(&call, head));
        let head = wait.await;
        let Ok(Ok(Head::Begun { first, summary, rest })) = head else {
            running.disarm();
            return head.unwrap_or_else(|_| Err(lost())).map(Head::into_rows);
        };
        Ok(Rows { summary, first, rest: Some(Rest { chunks: rest, running: Some(running) }) })
    }

    fn stream_rows(&self, call: &Call, head: oneshot::Sender<Result<Head, EngineException>>) {
        let mut connection = match self.open(call) {
            Ok(connection) => connection,
            Err(error) => return drop(head.send(Err(error))),
        };
        let begun = connection.stream(&call.text(), &call.format, &call.parameters).and_then(|mut stream| {
            let first = stream.next()?;
            let second = if first.rows() > 0 { Some(stream.next()?) } else { None };
            Ok((stream, first, second))
        });
        let (mut stream, first, second) = match begun {
            Ok(begun) => begun,
            Err(error) => return drop(head.send(Err(error))),
        };
        let header = Header::of(&call.format, first.bytes());
        let bytes = Bytes::copy_from_slice(first.bytes());
        let Some(second) = second.filter(|second| second.rows() > 0) else {
            return drop(head.send(Ok(Head::Whole(Whole { bytes, summary: first.summary() }))));
        };
        let (chunks, rest) = mpsc::channel(4);
        if head.send(Ok(Head::Begun { first: bytes, summary: first.summary(), rest })).is_err() {
            return;
        }
        let mut chunk = second;
        while chunk.rows() > 0 {
            let body = Bytes::copy_from_slice(header.strip(chunk.bytes()));
            // A receiver that is gone means a client that is gone: dropping the stream cancels it.
            if chunks.blocking_send(Ok(body)).is_err() {
                return;
            }
            chunk = match stream.next() {
                Ok(chunk) => chunk,
                Err(error) => return drop(chunks.blocking_send(Err(error))),
            };
        }
    }

    /// Opens an insert; rows are kept only when it is finished.
    pub async fn insert(&'static self, mut call: Call) -> Insert {
        let inserting = self.inserting().await;
        let running = self.running(&mut call).await;
        let (chunks, mut arriving) = mpsc::channel::<Option<Bytes>>(4);
        let (answer, outcome) = oneshot::channel();
        running.spawn(move || {
            let _inserting = inserting;
            let mut insert = || -> Result<Option<Summary>, EngineException> {
                let mut connection = self.open(&call)?;
                let mut stream = connection.insert(&call.text(), &call.format)?;
                while let Some(chunk) = arriving.blocking_recv() {
                    match chunk {
                        Some(bytes) => stream.append(&bytes)?,
                        None => return stream.finish().map(Some),
                    }
                }
                // The sender went away before it said that this is all: no rows.
                Ok(None)
            };
            let _ = answer.send(insert().and_then(|summary| summary.ok_or_else(lost)));
        });
        Insert { chunks, outcome, running }
    }

    fn open(&self, call: &Call) -> Result<Connection, EngineException> {
        let spare = self.spares.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = spare.or_else(|| self.library.connect(&self.arguments));
        let mut connection = connection
            .ok_or_else(|| EngineException("Code: 1001. DB::Exception: the engine opened no connection".to_owned()))?;
        for statement in [call.settings_statement(), call.database_statement()].into_iter().flatten() {
            connection.query(&statement, "Null", &Parameters::default())?;
        }
        Ok(connection)
    }

    /// Opens a connection for the next statement, where there are few.
    fn open_ahead(&self) {
        let spares = || self.spares.lock().unwrap_or_else(PoisonError::into_inner);
        if spares().len() < SPARES
            && let Some(connection) = self.library.connect(&self.arguments)
        {
            spares().push(connection);
        }
    }

    async fn running(&'static self, call: &mut Call) -> Running {
        let slot = Arc::clone(&self.slots).acquire_owned().await.expect("the semaphore is never closed");
        let number = self.statements.fetch_add(1, Ordering::Relaxed);
        let id: String = call.query_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
        call.tag = format!("qid:{id}.{number}.");
        Running {
            engine: self,
            tag: call.tag.clone(),
            state: Arc::new(State { finished: AtomicBool::new(false), _slot: slot }),
            armed: true,
        }
    }

    /// Kills the statement with this tag, if it runs.
    fn kill(&self, tag: &str) {
        let mut parameters = Parameters::default();
        parameters.push("tag", tag);
        // A statement with parameters is shown without its comments, so its tag is a setting too.
        let sql = "KILL QUERY WHERE startsWith(query, concat('/*', {tag:String})) OR endsWith(Settings['log_comment'], {tag:String}) ASYNC";
        let mut control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = control.query(sql, "Null", &parameters) {
            tracing::warn!(%error, "a statement could not be killed");
        }
    }
}

/// A statement on its way; nobody waits for it any more when this is dropped, so it is killed.
struct Running {
    engine: &'static Engine,
    tag: String,
    state: Arc<State>,
    armed: bool,
}

/// Shared with the worker; its slot is free when the statement is over, however it ended.
struct State {
    finished: AtomicBool,
    _slot: tokio::sync::OwnedSemaphorePermit,
}

/// Held by the worker; says that the statement is over even when the worker panics.
struct AtWork(Arc<State>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.finished.store(true, Ordering::Release);
    }
}

impl Running {
    fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        let (engine, at_work) = (self.engine, AtWork(Arc::clone(&self.state)));
        self.engine.workers.spawn_blocking(move || {
            work();
            drop(at_work);
            engine.open_ahead();
        });
    }

    /// The outcome is known: nothing is left to kill.
    fn disarm(mut self) {
        self.armed = false;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.armed || self.state.finished.load(Ordering::Acquire) {
            return;
        }
        let (engine, tag, state) = (self.engine, std::mem::take(&mut self.tag), Arc::clone(&self.state));
        engine.workers.spawn(async move {
            // One kill can come before the statement has begun, so it is repeated until it is over.
            while !state.finished.load(Ordering::Acquire) {
                let tag = tag.clone();
                let _ = engine.workers.spawn_blocking(move || engine.kill(&tag)).await;
                tokio::time::sleep(KILL_AGAIN_AFTER).await;
            }
        });
    }
}

/// A complete answer.
#[derive(Debug)]
pub struct Whole {
    pub bytes: Bytes,
    pub summary: Summary,
}

enum Head {
    Whole(Whole),
    Begun { first: Bytes, summary: Summary, rest: mpsc::Receiver<Result<Bytes, EngineException>> },
}

impl Head {
    fn into_rows(self) -> Rows {
        match self {
            Self::Whole(Whole { bytes, summary }) => Rows { summary, first: bytes, rest: None },
            Self::Begun { first, summary, rest } => {
                Rows { summary, first, rest: Some(Rest { chunks: rest, running: None }) }
            }
        }
    }
}

/// The rows of a `SELECT`: the first chunk, and the rest as it comes.
pub struct Rows {
    pub summary: Summary,
    pub first: Bytes,
    pub rest: Option<Rest>,
}

/// The chunks after the first; dropping it before the last cancels the statement.
pub struct Rest {
    chunks: mpsc::Receiver<Result<Bytes, EngineException>>,
    running: Option<Running>,
}

impl Rest {
    pub async fn next(&mut self) -> Option<Result<Bytes, EngineException>> {
        let chunk = self.chunks.recv().await;
        if !matches!(chunk, Some(Ok(_)))
            && let Some(running) = self.running.take()
        {
            running.disarm();
        }
        chunk
    }
}

/// An open insert.
pub struct Insert {
    chunks: mpsc::Sender<Option<Bytes>>,
    outcome: oneshot::Receiver<Result<Summary, EngineException>>,
    running: Running,
}

impl Insert {
    /// Hands over encoded rows; `false` when the engine already refused the insert.
    pub async fn append(&mut self, data: Bytes) -> bool {
        self.chunks.send(Some(data)).await.is_ok()
    }

    /// Ends the insert; the rows are stored when this returns `Ok`.
    pub async fn finish(self) -> Result<Summary, EngineException> {
        let _ = self.chunks.send(None).await;
        let outcome = self.outcome.await;
        self.running.disarm();
        outcome.unwrap_or_else(|_| Err(lost()))
    }
}

fn lost() -> EngineException {
    EngineException("Code: 394. DB::Exception: the statement was given up. (QUERY_WAS_CANCELLED)".to_owned())
}

fn lock(folder: &Path) -> Result<File, StartError> {
    let error = |reason| StartError::Folder { folder: folder.to_owned(), reason };
    let file = File::options().create(true).truncate(false).write(true).open(folder.join("lock")).map_err(error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::FolderInUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(reason)) => Err(error(reason)),
    }
}
