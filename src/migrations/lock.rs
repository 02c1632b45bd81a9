//! One instance does something, the others wait.
//!
//! The lock is a table: creating it fails for all but one. Its owner writes a heartbeat; a lock
//! without one for a minute belonged to an instance that died, and is taken over. Should two
//! instances ever believe to own it, no harm is done: every migration is idempotent, and an alert that is told twice is told.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::render::Target;
use crate::clickhouse::{ClickHouse, QueryError};

const HEARTBEAT: Duration = Duration::from_secs(10);
const ABANDONED_AFTER_SECONDS: u32 = 60;

const TABLE_ALREADY_EXISTS: u32 = 57;

/// What one instance does at a time.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// The table that stands for it.
    name: &'static str,
    ask_again_after: Duration,
    /// Waiting longer than this for another instance is an error.
    patience: Duration,
}

pub const MIGRATE: Task =
    Task { name: "_migration_lock", ask_again_after: Duration::from_millis(200), patience: Duration::from_secs(600) };
pub const WATCH: Task =
    Task { name: "_alerts_lock", ask_again_after: Duration::from_secs(15), patience: Duration::MAX };

/// The right to do something alone.
pub struct Lock {
    clickhouse: ClickHouse,
    drop_statement: String,
    heartbeat: JoinHandle<()>,
}

impl Lock {
    /// Waits until it is had. `is_alone` = no other process can reach the database, so that whoever had it has died.
    pub async fn acquire(
        clickhouse: &ClickHouse,
        target: &Target,
        task: Task,
        is_alone: bool,
    ) -> Result<Self, QueryError> {
        let table = target.table(task.name);
        let on_cluster = target.on_cluster();
        // Whichever server is asked, the heartbeat is there.
        let engine = target.engine_of_all("MergeTree", task.name);
        let create = format!("CREATE TABLE {table} {on_cluster} (beat DateTime) ENGINE = {engine} ORDER BY beat");
        let drop_statement = format!("DROP TABLE IF EXISTS {table} {on_cluster} SYNC");
        let beat = format!("INSERT INTO {table} SELECT now()");
        if is_alone {
            clickhouse.execute(&drop_statement).await?;
        }
        let waiting = tokio::time::Instant::now();
        while let Err(error) = clickhouse.execute(&create).await {
            if error.code() != Some(TABLE_ALREADY_EXISTS) {
                return Err(error);
            }
            if waiting.elapsed() > task.patience {
                return Err(QueryError::other(format!(
                    "another instance has been at it for {} s; drop {table} if there is none",
                    task.patience.as_secs()
                )));
            }
            if is_abandoned(clickhouse, target, task).await {
                tracing::warn!(account = %target.account, lock = task.name, "a lock was left behind by an instance that died; it is taken over");
                clickhouse.execute(&drop_statement).await?;
                continue;
            }
            tokio::time::sleep(task.ask_again_after).await;
        }
        clickhouse.execute(&beat).await?;
        let heartbeat = tokio::spawn({
            let clickhouse = clickhouse.clone();
            async move {
                loop {
                    tokio::time::sleep(HEARTBEAT).await;
                    if let Err(error) = clickhouse.execute(&beat).await {
                        tracing::warn!(%error, "a lock could not be renewed");
                    }
                }
            }
        });
        Ok(Self { clickhouse: clickhouse.clone(), drop_statement, heartbeat })
    }

    pub async fn release(self) {
        self.heartbeat.abort();
        if let Err(error) = self.clickhouse.execute(&self.drop_statement).await {
            tracing::warn!(%error, "a lock could not be released; it is taken over in a minute");
        }
    }
}

/// Whether the newest heartbeat, or the creation before the first one, is too old. A lock that
/// cannot be read was just released.
async fn is_abandoned(clickhouse: &ClickHouse, target: &Target, task: Task) -> bool {
    let sql = format!(
        "SELECT toUInt8(greatest(max(beat), (SELECT max(metadata_modification_time) FROM system.tables \
         WHERE database = '{}' AND startsWith(name, '{}'))) < now() - {ABANDONED_AFTER_SECONDS}) FROM {}",
        target.account.analytics_database(),
        task.name,
        target.table(task.name),
    );
    clickhouse.fetch::<u8>(&sql).await.is_ok_and(|rows| rows == [1])
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}
