//! Dead letters: rows that were accepted and that the engine refuses for good. They are kept with the reason.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::clickhouse::native::{Block, Cells, ColumnOf, JsonForm, Type};
use crate::clickhouse::{ClickHouse, QueryError};
use crate::config::Account;
use crate::rows::{Rows, Table};
use crate::spool::Lane;
use crate::writer::Inserter;

/// The dead letters of all accounts.
pub struct DeadLetters {
    clickhouse: ClickHouse,
}

const COLUMNS: &[ColumnOf] = &[
    ("dead_letter_id", Type::Uuid),
    ("table_name", Type::Word),
    ("row_id", Type::Text),
    ("reason", Type::Text),
    ("document", Type::Text),
    ("encoded", Type::Text),
    ("accepted_at", Type::Moment),
    ("dead_at", Type::Moment),
];

/// A dead letter, as it is listed.
#[derive(Debug, clickhouse::Row, serde::Deserialize)]
pub struct DeadLetter {
    #[serde(with = "clickhouse::serde::uuid")]
    pub dead_letter_id: Uuid,
    pub table_name: String,
    pub row_id: String,
    pub reason: String,
    pub document: String,
    pub encoded: String,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    pub accepted_at: DateTime<Utc>,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    pub dead_at: DateTime<Utc>,
}

impl DeadLetters {
    pub fn new(clickhouse: ClickHouse) -> Self {
        Self { clickhouse }
    }

    /// Adds one row. Under the same token again it is added once.
    pub async fn add(&self, lane: &Lane, row: &Rows, reason: &str, token: &str) -> Result<(), QueryError> {
        let id = row.ids().next().unwrap_or_default();
        let encoded = row.iter().next().unwrap_or_default();
        let document = lane.table.document(encoded, row.accepted_at()).map(|document| document.to_string());
        let mut block = Block::new(COLUMNS, JsonForm::Columns);
        block.row(|cells| {
            cells.uuid(Uuid::now_v7());
            cells.text(lane.table.name());
            cells.text(&id.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            cells.text(reason);
            cells.text(document.as_deref().unwrap_or_default());
            cells.text(&STANDARD.encode(encoded));
            cells.moment(row.accepted_at());
            cells.moment(Utc::now());
        });
        let block = block.finish().expect("it has no JSON");
        let token = format!("{token}.dead");
        self.clickhouse.insert_block(&table(&lane.account), &Block::names(COLUMNS), block, &token).await
    }

    /// The dead letters of an account, the oldest first.
    pub async fn list(&self, account: &Account) -> Result<Vec<DeadLetter>, QueryError> {
        let sql = format!("SELECT {} FROM {} ORDER BY dead_at, dead_letter_id", Block::names(COLUMNS), table(account));
        self.clickhouse.fetch(&sql).await
    }

    async fn remove(&self, account: &Account, id: Uuid) -> Result<(), QueryError> {
        let table = self.clickhouse.altered(&account.analytics_database(), "dead_letters");
        let sql = format!("ALTER TABLE {table} DELETE WHERE dead_letter_id = '{id}' SETTINGS mutations_sync = 2");
        self.clickhouse.execute(&sql).await
    }
}

impl DeadLetter {
    pub fn table(&self) -> Result<Table, ReplayError> {
        Table::by_name(&self.table_name).ok_or_else(|| ReplayError::Unreadable("no such table".to_owned()))
    }

    /// Its row; `None` when there is only a document, which came from Kafka.
    pub fn row(&self) -> Result<Option<Rows>, ReplayError> {
        let unreadable = |error: &dyn std::fmt::Display| ReplayError::Unreadable(error.to_string());
        if self.encoded.is_empty() {
            return Ok(None);
        }
        let encoded = STANDARD.decode(&self.encoded).map_err(|error| unreadable(&error))?;
        self.table()?.row(&encoded, self.accepted_at).map(Some).map_err(|error| unreadable(&error))
    }
}

/// Why a dead letter could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("the row cannot be read: {0}")]
    Unreadable(String),
    #[error("{0}")]
    Refused(String),
    #[error("the row was inserted, but its letter is still there; replay it again, which changes nothing: {0}")]
    Kept(#[from] QueryError),
}

impl Inserter {
    /// Inserts the row of a dead letter, and removes the letter. Again after a crash, it changes nothing.
    pub async fn replay(&self, account: &Account, letter: &DeadLetter, row: &Rows) -> Result<(), ReplayError> {
        let lane = Lane { account: account.clone(), table: row.table, month: row.month };
        let token = format!("replay-{}", letter.dead_letter_id);
        let rows = [row.clone()].into();
        self.insert(&lane, &rows, &token).await.map_err(|error| ReplayError::Refused(error.to_string()))?;
        Ok(self.dead_letters().remove(account, letter.dead_letter_id).await?)
    }
}

fn table(account: &Account) -> String {
    format!("`{}`.dead_letters", account.analytics_database())
}
