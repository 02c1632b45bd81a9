//! The engine's C library, loaded at run time: the only module with `unsafe` code.
//!
//! `libchdb.so` is ClickHouse as a library. It is loaded with `dlopen`, so that building Chartwell
//! needs nothing but Rust, and never unloaded: its threads live as long as the process. Every
//! handle of the C interface is an owning type here, freed when it is dropped.

#![allow(unsafe_code, reason = "the C interface of the engine is bound here and nowhere else")]

use std::ffi::{CStr, CString, c_char, c_double, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{ptr, slice};

/// Where the engine's allocator reads its settings.
const MEMORY: &str = "JE_MALLOC_CONF";
/// Pages that nobody used for two seconds go back, instead of five, and no allocations are sampled: under load the
/// process holds 50 MiB less.
const MEMORY_SETTINGS: &str = "prof:false,dirty_decay_ms:2000";

/// What the engine reported: `Code: 62. DB::Exception: …`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct EngineException(pub String);

/// Why the library could not be loaded; the message names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(
        "the engine library libchdb.so was not found (looked at {looked}); \
         run `make engine` to fetch it, or set CHARTWELL_ENGINE_LIBRARY to its path, \
         or set CHARTWELL_CLICKHOUSE_URL to use a ClickHouse server"
    )]
    NotFound { looked: String },
    #[error("{path} cannot be loaded as the engine library: {reason}; run `make engine` to fetch a fresh copy")]
    Unusable { path: PathBuf, reason: String },
}

type RawConnection = *mut *mut c_void;
type RawResult = *mut c_void;
type RawInsert = *mut c_void;

/// Declares the C functions once: a field each, resolved by name when the library is loaded.
macro_rules! c_functions {
    ($($name:ident: fn($($argument:ty),*) $(-> $output:ty)?;)*) => {
        struct Functions { $($name: unsafe extern "C" fn($($argument),*) $(-> $output)?,)* }

        impl Functions {
            /// # Safety
            /// `library` must be `libchdb` 26.7, whose functions have these signatures, and must
            /// never be unloaded.
            unsafe fn resolve(library: &libloading::Library) -> Result<Self, libloading::Error> {
                // SAFETY: by the contract above.
                unsafe { Ok(Self { $($name: *library.get(stringify!($name))?,)* }) }
            }
        }
    };
}

c_functions! {
    chdb_connect: fn(c_int, *mut *mut c_char) -> RawConnection;
    chdb_close_conn: fn(RawConnection);
    chdb_set_signal_handlers_enabled: fn(c_int);
    chdb_query_with_params_n: fn(*mut c_void, *const c_char, usize, *const c_char, usize, *const *const c_char, *const usize, *const *const c_char, *const usize, usize) -> RawResult;
    chdb_stream_query_with_params_n: fn(*mut c_void, *const c_char, usize, *const c_char, usize, *const *const c_char, *const usize, *const *const c_char, *const usize, usize) -> RawResult;
    chdb_stream_fetch_result: fn(*mut c_void, RawResult) -> RawResult;
    chdb_stream_cancel_query: fn(*mut c_void, RawResult);
    chdb_stream_insert_n: fn(*mut c_void, *const c_char, usize, *const c_char, usize) -> RawInsert;
    chdb_stream_append: fn(RawInsert, *const c_void, usize) -> c_int;
    chdb_stream_done: fn(RawInsert) -> RawResult;
    chdb_stream_cancel_insert: fn(RawInsert);
    chdb_stream_insert_error: fn(RawInsert) -> *const c_char;
    chdb_destroy_insert_stream: fn(RawInsert);
    chdb_destroy_query_result: fn(RawResult);
    chdb_result_buffer: fn(RawResult) -> *const c_char;
    chdb_result_length: fn(RawResult) -> usize;
    chdb_result_error: fn(RawResult) -> *const c_char;
    chdb_result_elapsed: fn(RawResult) -> c_double;
    chdb_result_rows_read: fn(RawResult) -> u64;
    chdb_result_storage_rows_read: fn(RawResult) -> u64;
    chdb_result_storage_bytes_read: fn(RawResult) -> u64;
    chdb_result_rows_written: fn(RawResult) -> u64;
    chdb_result_bytes_written: fn(RawResult) -> u64;
}

/// The loaded library.
pub struct Library {
    functions: Functions,
}

impl Library {
    /// Loads the library at `path`, or searches for it when there is none.
    ///
    /// Must be called before the program starts threads that read the environment: the engine reads its time zone
    /// and how it keeps memory from there while it loads, and both are set here.
    pub fn load(path: Option<&Path>) -> Result<Arc<Self>, LoadError> {
        let path = match path {
            Some(path) if path.is_file() => path.to_owned(),
            Some(path) => return Err(LoadError::NotFound { looked: path.display().to_string() }),
            None => find()?,
        };
        let memory = std::env::var_os(MEMORY).unwrap_or_else(|| MEMORY_SETTINGS.into());
        // SAFETY: called once at start, before any other thread reads the environment.
        unsafe {
            std::env::set_var("TZ", "UTC");
            std::env::set_var(MEMORY, memory);
        }
        // SAFETY: loading runs the library's initialisers, which have no precondition but these two.
        let library = unsafe { libloading::Library::new(&path) }
            .map_err(|error| LoadError::Unusable { path: path.clone(), reason: error.to_string() })?;
        // SAFETY: `library` is leaked below, so the function pointers stay valid.
        let functions = unsafe { Functions::resolve(&library) }
            .map_err(|error| LoadError::Unusable { path, reason: error.to_string() })?;
        std::mem::forget(library);
        // SAFETY: no precondition. The program's own signal handling must stay in force.
        unsafe { (functions.chdb_set_signal_handlers_enabled)(0) };
        leave_at_exit();
        Ok(Arc::new(Self { functions }))
    }

    /// Opens a connection; `arguments` as for `clickhouse-local`, among them `--path=…`.
    ///
    /// The first one of the process starts the engine and fixes its folder.
    pub fn connect(self: &Arc<Self>, arguments: &[CString]) -> Option<Connection> {
        let mut argv: Vec<*mut c_char> = arguments.iter().map(|a| a.as_ptr().cast_mut()).collect();
        let count = c_int::try_from(argv.len()).expect("a handful of arguments");
        // SAFETY: `argv` holds `count` NUL-terminated strings, which the engine copies.
        let raw = unsafe { (self.functions.chdb_connect)(count, argv.as_mut_ptr()) };
        // SAFETY: a non-null result points to a connection handle, null when it was refused.
        if raw.is_null() || unsafe { *raw }.is_null() {
            return None;
        }
        Some(Connection { library: Arc::clone(self), raw })
    }
}

unsafe extern "C" {
    fn on_exit(callback: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
}

/// Makes a normal exit end the process before the engine's static destructors run: they crash while
/// its threads still live. Handlers run in the reverse order of their registration.
fn leave_at_exit() {
    // SAFETY: registers a function that takes no state.
    unsafe { on_exit(leave_at_once, ptr::null_mut()) };
}

/// Ends the process, now. The program ends with this and not with `std::process::exit`.
pub fn leave(status: i32) -> ! {
    use std::io::Write;
    let _ = std::io::stdout().flush();
    // SAFETY: ends the process; nothing is left to be in order afterwards.
    unsafe { libc::_exit(status) }
}

extern "C" fn leave_at_once(status: c_int, _: *mut c_void) {
    // SAFETY: ends the process; nothing is left to be in order afterwards.
    unsafe { libc::_exit(status) }
}

/// Gives back the pages of the library's code that only its start needed, about a third of an idle
/// process. What is needed again comes back from the page cache.
pub fn release_start_up_pages() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    for line in maps.lines().filter(|line| line.contains(" r-xp ") && line.ends_with("/libchdb.so")) {
        let Some((from, to)) = line.split_once(' ').and_then(|(range, _)| range.split_once('-')) else { continue };
        let (Ok(from), Ok(to)) = (usize::from_str_radix(from, 16), usize::from_str_radix(to, 16)) else { continue };
        // SAFETY: the range is a mapping of code: its pages are those of the file, never written to,
        // so the kernel reads them again when they are next used.
        unsafe { libc::madvise(from as *mut c_void, to - from, libc::MADV_DONTNEED) };
    }
}

/// Looks beside the program, in the cache folder that `make engine` fills, and where packages go.
fn find() -> Result<PathBuf, LoadError> {
    let mut places = Vec::new();
    if let Some(folder) = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned)) {
        places.push(folder);
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    places.extend(cache.or(home).map(|cache| cache.join("chartwell/engine").join(VERSION)));
    places.extend(["/usr/local/lib", "/usr/lib"].map(PathBuf::from));
    let candidates: Vec<PathBuf> = places.into_iter().map(|folder| folder.join("libchdb.so")).collect();
    candidates.iter().find(|candidate| candidate.is_file()).cloned().ok_or_else(|| LoadError::NotFound {
        looked: candidates.iter().map(|c| c.display().to_string()).collect::<Vec<_>>().join(", "),
    })
}

/// The engine release that this program is written for; the name of its folder in the cache.
pub const VERSION: &str = "26.7.3-stable.1";

/// A connection: serial, usable from any thread, one at a time.
pub struct Connection {
    library: Arc<Library>,
    raw: RawConnection,
}

// SAFETY: the engine ties a connection to no thread; `&mut self` keeps its use serial.
unsafe impl Send for Connection {}

impl Connection {
    /// Runs one statement and returns its whole output in `format`.
    pub fn query(&mut self, sql: &str, format: &str, parameters: &Parameters) -> Result<Output, EngineException> {
        let f = &self.library.functions;
        let (names, name_lengths, values, value_lengths) = parameters.pointers();
        // SAFETY: every pointer goes with its length and outlives the call.
        let raw = unsafe {
            (f.chdb_query_with_params_n)(
                *self.raw,
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
                names.as_ptr(),
                name_lengths.as_ptr(),
                values.as_ptr(),
                value_lengths.as_ptr(),
                names.len(),
            )
        };
        Output::new(&self.library, raw)
    }

    /// Starts a statement whose output is fetched chunk by chunk.
    pub fn stream(
        &mut self,
        sql: &str,
        format: &str,
        parameters: &Parameters,
    ) -> Result<OutputStream<'_>, EngineException> {
        let f = &self.library.functions;
        let (names, name_lengths, values, value_lengths) = parameters.pointers();
        // SAFETY: as in `query`.
        let raw = unsafe {
            (f.chdb_stream_query_with_params_n)(
                *self.raw,
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
                names.as_ptr(),
                name_lengths.as_ptr(),
                values.as_ptr(),
                value_lengths.as_ptr(),
                names.len(),
            )
        };
        let handle = Output::new(&self.library, raw)?;
        Ok(OutputStream { connection: self, handle, finished: false })
    }

    /// Opens an insert: `sql` without its `FORMAT` clause and without data.
    pub fn insert(&mut self, sql: &str, format: &str) -> Result<InsertStream<'_>, EngineException> {
        let f = &self.library.functions;
        // SAFETY: both strings go with their lengths. The handle is never null.
        let raw = unsafe {
            (f.chdb_stream_insert_n)(*self.raw, sql.as_ptr().cast(), sql.len(), format.as_ptr().cast(), format.len())
        };
        let stream = InsertStream { connection: self, raw, settled: false };
        stream.check()?;
        Ok(stream)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: `raw` came from `chdb_connect` and is closed once.
        unsafe { (self.library.functions.chdb_close_conn)(self.raw) };
        // A statement can be the first to need a static object, whose destructor then comes after
        // our handler. A test harness exits in its own way, so its handler is registered again.
        if cfg!(debug_assertions) {
            leave_at_exit();
        }
    }
}

/// Values of a statement's `{name:Type}` placeholders, as text.
#[derive(Default, Debug)]
pub struct Parameters(Vec<(String, String)>);

type Pointers = (Vec<*const c_char>, Vec<usize>, Vec<*const c_char>, Vec<usize>);

impl Parameters {
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    fn pointers(&self) -> Pointers {
        let (mut names, mut name_lengths, mut values, mut value_lengths) = Pointers::default();
        for (name, value) in &self.0 {
            names.push(name.as_ptr().cast());
            name_lengths.push(name.len());
            values.push(value.as_ptr().cast());
            value_lengths.push(value.len());
        }
        (names, name_lengths, values, value_lengths)
    }
}

/// What a statement or a chunk of it produced.
pub struct Output {
    library: Arc<Library>,
    raw: RawResult,
}

// SAFETY: a result is plain memory, owned by this handle alone.
unsafe impl Send for Output {}

impl Output {
    fn new(library: &Arc<Library>, raw: RawResult) -> Result<Self, EngineException> {
        if raw.is_null() {
            return Err(EngineException("Code: 1001. DB::Exception: the engine gave no result".to_owned()));
        }
        let output = Self { library: Arc::clone(library), raw };
        // SAFETY: the message, when there is one, lives as long as the result.
        let message = unsafe { (library.functions.chdb_result_error)(raw) };
        match text(message) {
            Some(message) => Err(EngineException(message)),
            None => Ok(output),
        }
    }

    /// The formatted output.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: buffer and length belong together and live as long as the result.
        unsafe {
            let buffer = (self.library.functions.chdb_result_buffer)(self.raw);
            let length = (self.library.functions.chdb_result_length)(self.raw);
            if buffer.is_null() || length == 0 { &[] } else { slice::from_raw_parts(buffer.cast(), length) }
        }
    }

    /// Rows in this output.
    pub fn rows(&self) -> u64 {
        // SAFETY: reads a counter of a live result; likewise below.
        unsafe { (self.library.functions.chdb_result_rows_read)(self.raw) }
    }

    /// What it cost, so far.
    pub fn summary(&self) -> Summary {
        let f = &self.library.functions;
        // SAFETY: as above.
        unsafe {
            Summary {
                read_rows: (f.chdb_result_storage_rows_read)(self.raw),
                read_bytes: (f.chdb_result_storage_bytes_read)(self.raw),
                written_rows: (f.chdb_result_rows_written)(self.raw),
                written_bytes: (f.chdb_result_bytes_written)(self.raw),
                elapsed_seconds: (f.chdb_result_elapsed)(self.raw),
            }
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // SAFETY: the result is owned and freed once.
        unsafe { (self.library.functions.chdb_destroy_query_result)(self.raw) };
    }
}

/// Counters of a statement: storage rows and bytes, not rows of the answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Summary {
    pub read_rows: u64,
    pub read_bytes: u64,
    pub written_rows: u64,
    pub written_bytes: u64,
    pub elapsed_seconds: f64,
}

/// A statement whose output is fetched in chunks; cancelled when dropped early.
pub struct OutputStream<'a> {
    connection: &'a mut Connection,
    handle: Output,
    finished: bool,
}

impl OutputStream<'_> {
    /// The next chunk; the first one without rows is the end, and must be the last one fetched.
    pub fn next(&mut self) -> Result<Output, EngineException> {
        let f = &self.connection.library.functions;
        // SAFETY: connection and stream handle are live and belong together.
        let raw = unsafe { (f.chdb_stream_fetch_result)(*self.connection.raw, self.handle.raw) };
        let chunk = Output::new(&self.connection.library, raw).inspect_err(|_| self.finished = true)?;
        self.finished = chunk.rows() == 0;
        Ok(chunk)
    }
}

impl Drop for OutputStream<'_> {
    fn drop(&mut self) {
        if !self.finished {
            let f = &self.connection.library.functions;
            // SAFETY: connection and stream handle are live and belong together.
            unsafe { (f.chdb_stream_cancel_query)(*self.connection.raw, self.handle.raw) };
        }
    }
}

/// An open insert; nothing of it is kept when it is dropped before `finish`.
pub struct InsertStream<'a> {
    connection: &'a mut Connection,
    raw: RawInsert,
    settled: bool,
}

impl InsertStream<'_> {
    /// Appends encoded data; chunks need not end where rows end. Blocks while the engine is behind.
    pub fn append(&mut self, data: &[u8]) -> Result<(), EngineException> {
        let f = &self.connection.library.functions;
        // SAFETY: pointer and length belong together; the engine copies the bytes.
        let state = unsafe { (f.chdb_stream_append)(self.raw, data.as_ptr().cast(), data.len()) };
        if state == 0 {
            return Ok(());
        }
        self.check()?;
        Err(EngineException("Code: 1001. DB::Exception: the engine refused a chunk of an insert".to_owned()))
    }

    /// Ends the insert; when this returns, the rows are in the table.
    pub fn finish(mut self) -> Result<Summary, EngineException> {
        self.settled = true;
        // SAFETY: the handle is live; the result is owned by `Output`.
        let raw = unsafe { (self.connection.library.functions.chdb_stream_done)(self.raw) };
        if raw.is_null() {
            self.check()?;
        }
        Output::new(&self.connection.library, raw).map(|output| output.summary())
    }

    fn check(&self) -> Result<(), EngineException> {
        // SAFETY: the message, when there is one, lives as long as the handle.
        let message = unsafe { (self.connection.library.functions.chdb_stream_insert_error)(self.raw) };
        text(message).map_or(Ok(()), |message| Err(EngineException(message)))
    }
}

impl Drop for InsertStream<'_> {
    fn drop(&mut self) {
        let f = &self.connection.library.functions;
        // SAFETY: the handle is live, cancelled at most once, and freed once.
        unsafe {
            if !self.settled {
                (f.chdb_stream_cancel_insert)(self.raw);
            }
            (f.chdb_destroy_insert_stream)(self.raw);
        }
    }
}

/// The text behind a C string, `None` for null and for the empty one.
fn text(message: *const c_char) -> Option<String> {
    if message.is_null() {
        return None;
    }
    // SAFETY: the engine gives NUL-terminated strings, alive while their owner is.
    let message = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
    (!message.is_empty()).then_some(message)
}
