//! The spool: accepted rows on disk, between the answer to their sender and their insert.
//!
//! [`Spool`] commits rows, each id once, and hands them to the writer. Below it is an append-only log in
//! segments. What [`Log::append`] has returned is on disk and is found again
//! after a crash at any instant; what it has refused is not found again, or is recognised. No crate
//! gives this with the fsync in our hands, a failed one included, and with a disk that a test can
//! put in its place: `tests/it/spool.rs` breaks a simulated one in every way a real one breaks.

mod backlog;
mod committer;
mod disk;
mod frame;
mod ids;
mod index;
mod log;
mod records;
mod recovery;

pub use backlog::{Backlog, Lane, Waiting};
pub use committer::{Accepted, OpenError, Opened, Refused, Spool};
pub use disk::{Disk, DiskFile, Folder};
pub use frame::{Kind, Record};
pub use ids::KnownIds;
pub use log::{AppendError, Damage, Log, LogConfig, Place, Recovered};
pub use records::id_key;
