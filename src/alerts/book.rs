//! What is known of rules and messages, kept in the account's database: whoever watches next goes on from there.

use std::collections::HashMap;

use chrono::serde::ts_microseconds;
use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::state::Standing;
use crate::clickhouse::{ClickHouse, QueryError};
use crate::config::Account;

const RULE: &str = "rule";
const MESSAGE: &str = "message";
const IS_DELIVERED: &str = "JSONExtractString(newest, 'outcome') = 'delivered'";

/// Reads and writes what is known.
#[derive(Clone)]
pub struct Book {
    clickhouse: ClickHouse,
}

/// Something that is to be told, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Stays the same however often it is sent.
    pub id: String,
    pub channel: String,
    pub body: Value,
    pub created_at: DateTime<Utc>,
    pub tries: u32,
    pub next_try: DateTime<Utc>,
    pub outcome: Outcome,
    /// Why it was not delivered, the last time.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Waiting,
    Delivered,
    /// Nobody took it for so long that it is given up.
    Dead,
}

/// What is known of an account.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub standings: HashMap<String, Standing>,
    pub messages: HashMap<String, Message>,
}

/// What can be told of an account.
#[derive(Debug, Default)]
pub struct Status {
    pub standings: HashMap<String, Standing>,
    pub undelivered: Vec<Undelivered>,
}

/// A message that was not delivered, without what it says.
#[derive(Debug, Deserialize)]
pub struct Undelivered {
    pub outcome: Outcome,
    pub next_try: DateTime<Utc>,
    pub reason: Option<String>,
}

/// What the ids of summaries begin with.
pub(super) const SUMMARY: &str = "summary-";

#[derive(Row, Serialize, Deserialize)]
struct EntryRow {
    kind: String,
    id: String,
    document: String,
    #[serde(with = "ts_microseconds")]
    updated_at: DateTime<Utc>,
}

impl Book {
    pub fn new(clickhouse: ClickHouse) -> Self {
        Self { clickhouse }
    }

    /// All that whoever watches has to know. Delivered messages are over, but for summaries, which are not made again.
    pub async fn known(&self, account: &Account) -> Result<Known, QueryError> {
        let is_over = format!("kind != '{RULE}' AND NOT startsWith(id, '{SUMMARY}') AND {IS_DELIVERED}");
        let mut known = Known::default();
        for row in self.newest(account, "newest", &format!("NOT ({is_over})")).await? {
            match row.kind.as_str() {
                RULE => known.standings.extend(read(&row.document).map(|standing| (row.id, standing))),
                _ => known.messages.extend(read(&row.document).map(|message| (row.id, message))),
            }
        }
        Ok(known)
    }

    /// How rules stand, and what was not delivered.
    pub async fn status(&self, account: &Account) -> Result<Status, QueryError> {
        let fields = ["outcome", "next_try", "reason"]
            .map(|name| format!("'\"{name}\":', JSONExtractRaw(newest, '{name}')"))
            .join(", ',', ");
        let shown = format!("if(kind = '{RULE}', newest, concat('{{', {fields}, '}}'))");
        let mut status = Status::default();
        for row in self.newest(account, &shown, &format!("kind = '{RULE}' OR NOT {IS_DELIVERED}")).await? {
            match row.kind.as_str() {
                RULE => status.standings.extend(read(&row.document).map(|standing| (row.id, standing))),
                _ => status.undelivered.extend(read::<Undelivered>(&row.document)),
            }
        }
        Ok(status)
    }

    /// The newest entry of each rule and of each message that meet a condition; `shown` is what is read of them.
    async fn newest(&self, account: &Account, shown: &str, condition: &str) -> Result<Vec<EntryRow>, QueryError> {
        let sql = format!(
            "SELECT kind, id, {shown} AS document, updated_at FROM (\
             SELECT toString(kind) AS kind, id, argMax(entries.document, entries.updated_at) AS newest, max(entries.updated_at) AS updated_at \
             FROM `{}`._alerts AS entries GROUP BY kind, id) WHERE {condition}",
            account.analytics_database()
        );
        self.clickhouse.fetch(&sql).await
    }

    pub async fn note_standings(&self, account: &Account, standings: &[(&str, &Standing)]) -> Result<(), QueryError> {
        let rows: Vec<EntryRow> = standings.iter().map(|(rule, standing)| entry(RULE, rule, standing)).collect();
        self.note(account, &rows).await
    }

    pub async fn note_messages(&self, account: &Account, messages: &[&Message]) -> Result<(), QueryError> {
        let rows: Vec<EntryRow> = messages.iter().map(|message| entry(MESSAGE, &message.id, message)).collect();
        self.note(account, &rows).await
    }

    async fn note(&self, account: &Account, rows: &[EntryRow]) -> Result<(), QueryError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.clickhouse.insert_rows((&account.analytics_database(), "_alerts"), rows, None).await
    }
}

fn entry(kind: &str, id: &str, of: &impl Serialize) -> EntryRow {
    let document = serde_json::to_string(of).expect("it serialises");
    EntryRow { kind: kind.to_owned(), id: id.to_owned(), document, updated_at: Utc::now() }
}

/// What another release has written differently is forgotten.
fn read<T: DeserializeOwned>(document: &str) -> Option<T> {
    serde_json::from_str(document).ok()
}
