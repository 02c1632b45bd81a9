//! The run: applies the plan of one account, statement by statement.

use std::time::{Duration, Instant};

use clickhouse::Row;
use serde::Deserialize;

use super::admin_db::{self, AdminDbError};
use super::kafka::{self, KafkaError};
use super::lock::{Lock, MIGRATE};
use super::plan::{Applied, Migration, PlanError, plan};
use super::render::Target;
use super::retention::{self, RetentionError};
use super::salt;
use crate::clickhouse::{ClickHouse, QueryError};

/// Migrates one account.
pub struct Migrator<'a> {
    pub clickhouse: &'a ClickHouse,
    pub target: Target,
    pub migrations: &'a [Migration],
    /// Whether no other process can reach these databases, as with the embedded engine: a lock that
    /// is there was then left behind by one that died.
    pub is_alone: bool,
    /// Whether a shorter retention may delete rows that were promised to be kept.
    pub may_shorten_retention: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error("account {account}: {error}")]
    Plan { account: String, error: PlanError },
    #[error("account {account}: migration {file} cannot be rendered: {error:#}")]
    Render { account: String, file: String, error: minijinja::Error },
    #[error("account {account}: migration {file} failed: {error}; the statement was: {statement}")]
    Statement { account: String, file: String, statement: String, error: QueryError },
    #[error("account {account}: the databases cannot be read or made: {error}")]
    Database { account: String, error: QueryError },
    #[error("account {account}: {error}")]
    Retention { account: String, error: RetentionError },
    #[error("account {account}: {error}")]
    AdminDb { account: String, error: AdminDbError },
    #[error("account {account}: {error}")]
    Kafka { account: String, error: KafkaError },
}

/// What a run did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The files that were applied now.
    pub applied: Vec<String>,
}

/// How a file stands in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Applied,
    Pending,
    Edited,
}

/// A file, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub file: String,
    pub state: State,
}

#[derive(Row, Deserialize)]
struct AppliedRow {
    version: u32,
    file: String,
    checksum: String,
}

#[derive(Row, Deserialize)]
struct CountRow {
    rows: u64,
}

impl Migrator<'_> {
    /// Refuses a retention that [`Self::run`] would refuse, and changes nothing.
    pub async fn check_retention(&self) -> Result<(), MigrationError> {
        let outdated = retention::outdated(self.clickhouse, &self.target, self.may_shorten_retention).await;
        outdated.map(drop).map_err(|error| self.retention(error))
    }

    /// Applies what is pending. Another instance that does the same is waited for.
    pub async fn run(&self) -> Result<Outcome, MigrationError> {
        self.create_databases().await?;
        let lock = Lock::acquire(self.clickhouse, &self.target, MIGRATE, self.is_alone)
            .await
            .map_err(|error| self.database(error))?;
        let outcome = self.run_locked().await;
        lock.release().await;
        outcome
    }

    /// Runs every file once more: servers that were added get their tables, and where they are nothing changes.
    pub async fn run_again(&self) -> Result<(), MigrationError> {
        let lock = Lock::acquire(self.clickhouse, &self.target, MIGRATE, self.is_alone)
            .await
            .map_err(|error| self.database(error))?;
        let outcome = async {
            for migration in self.migrations {
                self.apply(migration).await?;
            }
            Ok(())
        }
        .await;
        lock.release().await;
        outcome
    }

    async fn run_locked(&self) -> Result<Outcome, MigrationError> {
        let mut pending = self.pending().await?;
        if !pending.is_empty() && self.has_history().await? {
            // Another instance may just have applied it, beside a server that is ahead of this one.
            let (database, table) = (self.target.account.analytics_database(), "_migration_history");
            self.clickhouse.synchronize(&database, table).await.map_err(|error| self.database(error))?;
            pending = self.pending().await?;
        }
        let mut outcome = Outcome::default();
        // A row of its own takes longer than most statements: files that run nothing here wait for the next that does.
        let mut passed = Vec::new();
        for migration in &pending {
            let started = Instant::now();
            let has_run = self.apply(migration).await?;
            passed.push((*migration, started.elapsed()));
            if has_run {
                self.record(&passed).await?;
                passed.clear();
            }
            tracing::debug!(account = %self.target.account, file = migration.file, elapsed_ms = started.elapsed().as_millis(), "migrated");
            outcome.applied.push(migration.file.clone());
        }
        if !passed.is_empty() {
            self.record(&passed).await?;
        }
        retention::align(self.clickhouse, &self.target, self.may_shorten_retention)
            .await
            .map_err(|error| self.retention(error))?;
        admin_db::align(self.clickhouse, &self.target).await.map_err(|error| self.admin_db(error))?;
        kafka::align(self.clickhouse, &self.target).await.map_err(|error| self.kafka(error))?;
        salt::make(self.clickhouse, &self.target).await.map_err(|error| self.database(error))?;
        Ok(outcome)
    }

    async fn pending(&self) -> Result<Vec<&Migration>, MigrationError> {
        plan(self.migrations, &self.history().await?).map_err(|error| self.refused(error))
    }

    /// Runs the statement of one file, without a row in the history; `false` when there is nothing to run here.
    pub async fn apply(&self, migration: &Migration) -> Result<bool, MigrationError> {
        let Some(statement) = self.render(migration)? else { return Ok(false) };
        let outcome = self.clickhouse.execute(&statement).await.map_err(|error| MigrationError::Statement {
            account: self.target.account.to_string(),
            file: migration.file.clone(),
            // One line, however it was written.
            statement: statement.split_whitespace().collect::<Vec<_>>().join(" "),
            error,
        });
        outcome.map(|()| true)
    }

    /// Writes the rows of some files into the history, with the time that each has taken.
    pub async fn record(&self, passed: &[(&Migration, Duration)]) -> Result<(), MigrationError> {
        let sql = format!(
            "INSERT INTO {} (version, file, checksum, applied_at, duration_ms) \
             SELECT version, file, checksum, now64(6, 'UTC'), duration_ms FROM system.one \
             ARRAY JOIN {{versions:Array(UInt32)}} AS version, {{files:Array(String)}} AS file, \
             {{checksums:Array(String)}} AS checksum, {{durations_ms:Array(UInt64)}} AS duration_ms",
            self.target.table("_migration_history")
        );
        let millis = |elapsed: &Duration| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let versions: Vec<u32> = passed.iter().map(|(migration, _)| migration.version).collect();
        let files: Vec<&str> = passed.iter().map(|(migration, _)| migration.file.as_str()).collect();
        let checksums: Vec<&str> = passed.iter().map(|(migration, _)| migration.checksum.as_str()).collect();
        let durations: Vec<u64> = passed.iter().map(|(_, elapsed)| millis(elapsed)).collect();
        let (sql, versions, files, checksums, durations) = (&sql, &versions, &files, &checksums, &durations);
        let recorded = self.clickhouse.ask(|client| async move {
            let query = client.query_raw(sql).param("versions", versions).param("files", files);
            query.param("checksums", checksums).param("durations_ms", durations).execute().await
        });
        recorded.await.map_err(|error| self.database(error))
    }

    /// How every file stands, for people to read; refuses nothing.
    pub async fn status(&self) -> Result<Vec<Status>, MigrationError> {
        let history = self.history().await?;
        let state = |migration: &Migration| match history.iter().find(|applied| applied.version == migration.version) {
            None => State::Pending,
            Some(applied) if applied.checksum == migration.checksum => State::Applied,
            Some(_) => State::Edited,
        };
        Ok(self
            .migrations
            .iter()
            .map(|migration| Status { file: migration.file.clone(), state: state(migration) })
            .collect())
    }

    /// The pending statements, rendered.
    pub async fn dry_run(&self) -> Result<Vec<(String, String)>, MigrationError> {
        let mut statements = Vec::new();
        for migration in self.pending().await? {
            if let Some(statement) = self.render(migration)? {
                statements.push((migration.file.clone(), statement));
            }
        }
        let of_admin_db =
            admin_db::outdated(self.clickhouse, &self.target).await.map_err(|error| self.admin_db(error))?;
        statements.extend(of_admin_db.into_iter().map(|step| ("operational database".to_owned(), step.shown)));
        let from_kafka = kafka::outdated(self.clickhouse, &self.target).await.map_err(|error| self.kafka(error))?;
        for (table, of_table) in from_kafka {
            let named = of_table.into_iter().map(|statement| (format!("kafka: {}", table.name()), statement));
            statements.extend(named);
        }
        Ok(statements)
    }

    /// Whether the table of the operational database is not as the settings say.
    pub async fn is_admin_db_outdated(&self) -> Result<bool, MigrationError> {
        let steps = admin_db::outdated(self.clickhouse, &self.target).await.map_err(|error| self.admin_db(error))?;
        Ok(!steps.is_empty())
    }

    async fn has_history(&self) -> Result<bool, MigrationError> {
        let exists = format!("EXISTS TABLE {}", self.target.table("_migration_history"));
        let exists: Vec<u8> = self.clickhouse.fetch(&exists).await.map_err(|error| self.database(error))?;
        Ok(exists == [1])
    }

    async fn history(&self) -> Result<Vec<Applied>, MigrationError> {
        if !self.has_history().await? {
            return Ok(Vec::new());
        }
        let table = self.target.table("_migration_history");
        let sql = format!("SELECT version, file, checksum FROM {table} ORDER BY version");
        let rows: Vec<AppliedRow> = self.clickhouse.fetch(&sql).await.map_err(|error| self.database(error))?;
        Ok(rows.into_iter().map(|AppliedRow { version, file, checksum }| Applied { version, file, checksum }).collect())
    }

    async fn create_databases(&self) -> Result<(), MigrationError> {
        let account = &self.target.account;
        for database in [account.analytics_database(), account.admin_database()] {
            let known = format!("SELECT count() AS rows FROM system.databases WHERE name = '{database}'");
            let known: Vec<CountRow> = self.clickhouse.fetch(&known).await.map_err(|error| self.database(error))?;
            if known.iter().any(|count| count.rows > 0) {
                continue;
            }
            let create = format!("CREATE DATABASE IF NOT EXISTS `{database}` {}", self.target.on_cluster());
            self.clickhouse.execute(&create).await.map_err(|error| self.database(error))?;
        }
        Ok(())
    }

    fn render(&self, migration: &Migration) -> Result<Option<String>, MigrationError> {
        self.target.render(migration).map_err(|error| MigrationError::Render {
            account: self.target.account.to_string(),
            file: migration.file.clone(),
            error,
        })
    }

    fn refused(&self, error: PlanError) -> MigrationError {
        MigrationError::Plan { account: self.target.account.to_string(), error }
    }

    fn retention(&self, error: RetentionError) -> MigrationError {
        MigrationError::Retention { account: self.target.account.to_string(), error }
    }

    fn admin_db(&self, error: AdminDbError) -> MigrationError {
        MigrationError::AdminDb { account: self.target.account.to_string(), error }
    }

    fn kafka(&self, error: KafkaError) -> MigrationError {
        MigrationError::Kafka { account: self.target.account.to_string(), error }
    }

    fn database(&self, error: QueryError) -> MigrationError {
        MigrationError::Database { account: self.target.account.to_string(), error }
    }
}
