//! The table of the operational database: aligned with the settings at every start, not numbered.
//!
//! Where one is configured, the engine reads `<account>_admin_db.assistants` from PostgreSQL; the table that stood in
//! for it, and its rows, are kept beside it and come back when none is configured any more.

use clickhouse::Row;
use minijinja::{Error, context};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::render::Target;
use crate::clickhouse::template::guarded_environment;
use crate::clickhouse::{ClickHouse, QueryError, Sql};
use crate::config::{AdminDb, Secret};

const REMOTE: &str = include_str!("../../migrations/admin_db/000_create_table_assistants.sql");
const STAND_IN: &str = include_str!("../../migrations/018_create_table_admin_assistants.sql");

/// The table that is read, and where the one that stood in is kept.
const TABLE: &str = "assistants";
const KEPT: &str = "assistants_stand_in";
const ENGINE: &str = "PostgreSQL";

/// Rounds of the digest: it is in the open, and must not help to guess a password.
const ROUNDS: u32 = 50_000;

#[derive(Debug, thiserror::Error)]
pub enum AdminDbError {
    #[error("the table of the operational database cannot be rendered: {0:#}")]
    Render(#[from] Error),
    #[error("the table of the operational database cannot be made: {0} (CHARTWELL_ADMIN_DB_URL)")]
    Query(QueryError),
}

#[derive(Row, Deserialize)]
struct TableRow {
    name: String,
    engine: String,
    comment: String,
}

/// A statement, and what may be shown of it.
pub(super) struct Step {
    sql: String,
    pub(super) shown: String,
}

impl From<String> for Step {
    fn from(sql: String) -> Self {
        Self { shown: sql.clone(), sql }
    }
}

/// Makes the table as the settings say, where it is not.
pub(super) async fn align(clickhouse: &ClickHouse, target: &Target) -> Result<(), AdminDbError> {
    let steps = outdated(clickhouse, target).await?;
    for step in &steps {
        clickhouse.execute(&step.sql).await.map_err(|error| hidden(error, target))?;
    }
    let account = &target.account;
    match &target.admin_db {
        Some(AdminDb { server, .. }) if !steps.is_empty() => {
            tracing::info!(%account, server, "names are read from the operational database");
        }
        None if !steps.is_empty() => tracing::info!(%account, "a local table stands in for the operational database"),
        _ => {}
    }
    Ok(())
}

/// The statements that make the table as the settings say; none when it is. Each can be the last of a process.
pub(super) async fn outdated(clickhouse: &ClickHouse, target: &Target) -> Result<Vec<Step>, AdminDbError> {
    let tables = format!(
        "SELECT name, engine, comment FROM system.tables WHERE database = '{}' AND name IN ('{TABLE}', '{KEPT}')",
        target.account.admin_database()
    );
    let tables: Vec<TableRow> = clickhouse.fetch(&tables).await.map_err(|error| hidden(error, target))?;
    let named = |name: &str| tables.iter().find(|table| table.name == name);
    let (read, kept) = (named(TABLE), named(KEPT).is_some());
    let is_remote = read.is_some_and(|table| table.engine == ENGINE);
    let mut steps = Vec::new();
    let Some(admin_db) = &target.admin_db else {
        if is_remote {
            steps.push(format!("DROP TABLE {} {} SYNC", target.admin_table(TABLE), target.on_cluster()).into());
        }
        if (is_remote || read.is_none()) && kept {
            steps.push(renamed(target, KEPT, TABLE).into());
        } else if is_remote {
            steps.push(guarded_environment().render_str(STAND_IN, target.context())?.into());
        }
        return Ok(steps);
    };
    let fingerprint = fingerprint(&statement(target, admin_db, &admin_db.password, "")?);
    if is_remote && read.is_some_and(|table| table.comment == fingerprint) {
        return Ok(steps);
    }
    if read.is_some() && !is_remote {
        steps.push(renamed(target, TABLE, KEPT).into());
    }
    steps.push(Step {
        sql: statement(target, admin_db, &admin_db.password, &fingerprint)?,
        shown: statement(target, admin_db, &Secret::new("(secret)"), &fingerprint)?,
    });
    Ok(steps)
}

fn renamed(target: &Target, from: &str, to: &str) -> String {
    let (from, to) = (target.admin_table(from), target.admin_table(to));
    format!("RENAME TABLE {from} TO {to} {}", target.on_cluster())
}

fn statement(target: &Target, admin_db: &AdminDb, password: &Secret, fingerprint: &str) -> Result<String, Error> {
    let text = |text: &str| minijinja::Value::from(Sql::text(text));
    let context = context! {
        server => text(&admin_db.server),
        database => text(&admin_db.database),
        user => text(&admin_db.user),
        password => text(password.reveal()),
        schema => text(&admin_db.schema),
        fingerprint => text(fingerprint),
        ..target.context()
    };
    let statement = guarded_environment().render_str(REMOTE, context)?;
    // Comments are for those who read the file.
    let lines = statement.lines().filter(|line| !line.starts_with("--"));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// Tells one statement from another. It names the account, which makes it another for each of them.
fn fingerprint(statement: &str) -> String {
    let digest = (0..ROUNDS).fold(Sha256::digest(statement), |digest, _| Sha256::digest(digest));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the engine says of a statement that it does not like may have the password in it.
fn hidden(error: QueryError, target: &Target) -> AdminDbError {
    let message = match &target.admin_db {
        Some(admin_db) => admin_db.without_password(&error.message).into_owned(),
        None => error.message,
    };
    AdminDbError::Query(QueryError { message, ..error })
}
