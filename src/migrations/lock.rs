//! One instance does something, the others wait.
//!
//! The lock is a table: creating it fails for all but one. Its comment says who owns it, and its owner writes a
//! heartbeat into it; a lock without one for a minute belonged to an instance that died, and is taken over. With every
//! heartbeat the owner looks whether the table is still its own. When it is not, or when nothing could be written for
//! that minute, the lock is lost, and [`Lock::lost`] says so.
//!
//! Two can believe to own it, for about one heartbeat: the engine drops a table whoever it is of, so that of two who
//! take over at one time the second may drop what the first has just made; and a server of a cluster that is behind
//! knows an owner of before. That does no harm: every migration is idempotent, and goes on, and an alert that is told
//! twice is told.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use uuid::Uuid;

use super::render::Target;
use crate::clickhouse::{ClickHouse, QueryError, Sql};

const HEARTBEAT: Duration = Duration::from_secs(10);
const ABANDONED_AFTER: Duration = Duration::from_secs(60);
/// Longer than a statement `ON CLUSTER` waits for servers.
const PATIENCE: Duration = Duration::from_secs(300);
/// Those that wait find an abandoned lock at one time; they do not take it over at one time.
const LONGEST_HESITATION: Duration = Duration::from_secs(1);

const TABLE_ALREADY_EXISTS: u32 = 57;

/// What one instance does at a time.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// The table that stands for it.
    pub name: &'static str,
    /// Who has the lock says so this often.
    pub heartbeat: Duration,
    /// Who has not said so for this long, in whole seconds, has it no more.
    pub abandoned_after: Duration,
    pub ask_again_after: Duration,
    /// Waiting longer than this for another instance is an error.
    pub patience: Duration,
}

pub const MIGRATE: Task = Task {
    name: "_migration_lock",
    heartbeat: HEARTBEAT,
    abandoned_after: ABANDONED_AFTER,
    ask_again_after: Duration::from_millis(200),
    patience: Duration::from_secs(600),
};
pub const WATCH: Task = Task {
    name: "_alerts_lock",
    heartbeat: HEARTBEAT,
    abandoned_after: ABANDONED_AFTER,
    ask_again_after: Duration::from_secs(15),
    patience: Duration::MAX,
};

/// The right to do something alone.
pub struct Lock {
    owner: Owner,
    heartbeat: JoinHandle<()>,
    /// Closed when the heartbeat has ended.
    held: watch::Receiver<()>,
}

impl Lock {
    /// Waits until it is had. `is_alone` = no other process can reach the database, so that whoever had it has died.
    pub async fn acquire(
        clickhouse: &ClickHouse,
        target: &Target,
        task: Task,
        is_alone: bool,
    ) -> Result<Self, QueryError> {
        let owner = Owner::new(clickhouse, target, task);
        if is_alone {
            owner.drop_table().await?;
        }
        let waiting = Instant::now();
        loop {
            // A statement for all servers of a cluster only where it may do something: some wait for ever.
            if owner.whose().await?.is_none() && owner.create().await? {
                let began = Instant::now();
                if owner.renew().await?.as_ref() == Some(&owner.id) {
                    return Ok(Self::held(owner, began));
                }
            }
            if waiting.elapsed() > task.patience {
                return Err(QueryError::other(format!(
                    "another instance has been at it for {} s; drop {} if there is none",
                    task.patience.as_secs(),
                    owner.table
                )));
            }
            match owner.abandoned_by().await {
                Some(before) => owner.take_over(&before).await?,
                None => sleep(task.ask_again_after).await,
            }
        }
    }

    fn held(owner: Owner, renewed: Instant) -> Self {
        let (holding, held) = watch::channel(());
        let heartbeat = tokio::spawn({
            let owner = owner.clone();
            async move {
                let reason = owner.keep(renewed).await;
                tracing::warn!(account = %owner.target.account, lock = owner.task.name, reason, "a lock is lost");
                drop(holding);
            }
        });
        Self { owner, heartbeat, held }
    }

    /// Resolves when it is had no more.
    pub async fn lost(&self) {
        let _ = self.held.clone().changed().await;
    }

    /// Gives it up, if it is still had.
    pub async fn release(self) {
        self.heartbeat.abort();
        if let Err(error) = self.owner.give_up().await {
            tracing::warn!(%error, "a lock could not be released; it is taken over in a minute");
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

/// Who wants a lock, or has it.
#[derive(Clone)]
struct Owner {
    id: String,
    clickhouse: ClickHouse,
    target: Target,
    task: Task,
    table: Sql,
}

impl Owner {
    fn new(clickhouse: &ClickHouse, target: &Target, task: Task) -> Self {
        let (id, table) = (Uuid::now_v7().to_string(), target.table(task.name));
        Self { id, clickhouse: clickhouse.clone(), target: target.clone(), task, table }
    }

    /// Makes the table; whether it is its own then. It may be already, by a statement whose answer was lost.
    async fn create(&self) -> Result<bool, QueryError> {
        let Self { id, table, .. } = self;
        let on_cluster = self.target.on_cluster();
        // Whichever server is asked, the heartbeat is there.
        let engine = self.target.engine_of_all("MergeTree", self.task.name);
        let sql =
            format!("CREATE TABLE {table} {on_cluster} (beat DateTime) ENGINE = {engine} ORDER BY beat COMMENT '{id}'");
        match within(PATIENCE, self.clickhouse.execute(&sql)).await {
            Ok(()) => Ok(true),
            Err(error) if error.code() == Some(TABLE_ALREADY_EXISTS) => self.is_own().await,
            Err(error) => Err(error),
        }
    }

    /// Whose the lock is; nobody's where there is no table.
    async fn whose(&self) -> Result<Option<String>, QueryError> {
        let sql = format!("SELECT comment FROM system.tables WHERE {}", self.target.is_table(self.task.name));
        Ok(within(PATIENCE, self.clickhouse.fetch(&sql)).await?.pop())
    }

    async fn is_own(&self) -> Result<bool, QueryError> {
        Ok(self.whose().await?.as_ref() == Some(&self.id))
    }

    /// Writes a heartbeat where the table is its own; returns whose it is.
    async fn renew(&self) -> Result<Option<String>, QueryError> {
        let Self { id, table, target, task, .. } = self;
        let is_own = format!("{} AND comment = '{id}'", target.is_table(task.name));
        let sql = format!("INSERT INTO {table} SELECT now() FROM system.tables WHERE {is_own}");
        within(PATIENCE, self.clickhouse.execute(&sql)).await?;
        self.whose().await
    }

    /// Goes on saying that it is there, until the lock is lost; returns why.
    async fn keep(&self, mut renewed: Instant) -> &'static str {
        let Task { heartbeat, abandoned_after, .. } = self.task;
        loop {
            let next = async {
                sleep(heartbeat).await;
                (Instant::now(), within(heartbeat, self.renew()).await)
            };
            match timeout_at(renewed + abandoned_after, next).await {
                Ok((began, Ok(Some(owner)))) if owner == self.id => renewed = began,
                Ok((_, Ok(Some(_)))) => return "another instance has it",
                // A server of a cluster that is behind does not know it yet.
                Ok((_, Ok(None))) => tracing::warn!("a lock could not be renewed: its table is not there"),
                Ok((_, Err(error))) => tracing::warn!(%error, "a lock could not be renewed"),
                Err(_) => return "it could not be renewed in time",
            }
        }
    }

    /// Whose lock it is, when the newest heartbeat, or the creation before the first one, is too old. A lock that cannot
    /// be read was just released; those of earlier releases are nobody's.
    async fn abandoned_by(&self) -> Option<String> {
        let sql = format!(
            "SELECT comment FROM system.tables WHERE {} \
             AND greatest(metadata_modification_time, (SELECT max(beat) FROM {})) < now() - {}",
            self.target.is_table(self.task.name),
            self.table,
            self.task.abandoned_after.as_secs(),
        );
        within(PATIENCE, self.clickhouse.fetch::<String>(&sql)).await.ok()?.pop()
    }

    /// Drops a lock, if it is still that of somebody who has abandoned it.
    async fn take_over(&self, before: &str) -> Result<(), QueryError> {
        sleep(LONGEST_HESITATION.mul_f64(fastrand::f64())).await;
        if self.abandoned_by().await.as_deref() != Some(before) {
            return Ok(());
        }
        tracing::warn!(account = %self.target.account, lock = self.task.name, "a lock was left behind by an instance that died; it is taken over");
        self.drop_table().await
    }

    async fn give_up(&self) -> Result<(), QueryError> {
        if self.is_own().await? { self.drop_table().await } else { Ok(()) }
    }

    async fn drop_table(&self) -> Result<(), QueryError> {
        let sql = format!("DROP TABLE IF EXISTS {} {} SYNC", self.table, self.target.on_cluster());
        within(PATIENCE, self.clickhouse.execute(&sql)).await
    }
}

/// What is answered, unless it takes too long.
async fn within<T>(patience: Duration, answer: impl Future<Output = Result<T, QueryError>>) -> Result<T, QueryError> {
    let silent = |_| QueryError::unavailable(format!("no answer for {} s", patience.as_secs()));
    timeout(patience, answer).await.map_err(silent)?
}
