//! Migrations: the tables of every account, brought up to date at the start.
//!
//! `plan` decides before the first statement, `run` applies, and `_migration_history` gets a row for
//! each file after its statement ran; files without one here get theirs with the next. A statement may run twice, when
//! the process died in between: every file is idempotent.

mod admin_db;
mod kafka;
mod lock;
mod plan;
mod render;
mod retention;
mod run;
mod salt;

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

pub use admin_db::AdminDbError;
pub use kafka::KafkaError;
pub use lock::{Lock, Task, WATCH};
pub use plan::{Applied, Migration, PlanError, plan};
pub use render::Target;
pub use retention::{RetentionError, refuse_shorter};
pub use run::{MigrationError, Migrator, Outcome, State, Status};
pub use salt::salt;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// The migrations of this release, in order.
pub fn migrations() -> Result<Vec<Migration>, PlanError> {
    let mut migrations = FILES
        .files()
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "sql"))
        .map(|file| {
            let name = file.path().to_str().expect("file names are ASCII");
            let text = file.contents_utf8().expect("migrations are UTF-8");
            Migration::new(name, text, checksum(text))
        })
        .collect::<Result<Vec<_>, _>>()?;
    migrations.sort_by_key(|migration| migration.version);
    Ok(migrations)
}

/// What an embedded engine counts for the tables of an account though it is hardly used: each table that knows the
/// tokens of its inserts keeps a file open for them, with a buffer of 1 MiB.
pub fn unused_buffers_bytes() -> Result<u64, PlanError> {
    let knows_tokens = |migration: &Migration| migration.text.contains("deduplication_window");
    Ok((migrations()?.into_iter().filter(knows_tokens).count() as u64) << 20)
}

fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
