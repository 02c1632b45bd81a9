//! Erasure: what is known of one visitor is deleted, and a receipt says what that was.
//!
//! Rows that name the visitor go, as they were sent or by their hash; so do the spans of conversations that nobody else had
//! a part in. Sums that name nobody stay: nobody can be told from them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::clickhouse::{ClickHouse, QueryError, Value, Values};
use crate::config::Account;
use crate::ingest::hashed;

/// Conversations of one statement: a server takes no value of more than 128 KiB.
const CONVERSATIONS_AT_ONCE: usize = 1_000;
/// A visitor of more is a mistake, such as an id that a whole website has.
const MOST_CONVERSATIONS: usize = 100_000;

/// Whose rows of which table go: a condition on the names below.
const OF_VISITOR: [(&str, &str); 6] = [
    ("assistants_tracing_spans", "user_id_hash IN {names:Array(String)}"),
    ("assistant_users_1h", "user_id_hash IN {names:Array(String)}"),
    ("experiment_units", "unit IN arrayMap(name -> cityHash64(name), {names:Array(String)})"),
    ("experiment_conversations", "unit IN arrayMap(name -> cityHash64(name), {names:Array(String)})"),
    ("dead_letters", "arrayExists(name -> position(document, name) > 0, {names:Array(String)})"),
    // Last, since it says which conversations there were: who is interrupted finds them again.
    ("events", "visitor_id IN {names:Array(String)}"),
];

/// What was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    pub account: String,
    /// SHA-256 of the account's salt and the id: it tells the account, and nobody else, whose rows these were.
    pub visitor_sha256: String,
    pub erased_at: DateTime<Utc>,
    /// Those that nobody else had a part in.
    pub conversations: u64,
    /// Rows by table.
    pub rows: BTreeMap<&'static str, u64>,
}

impl Receipt {
    /// Adds what was deleted later.
    pub fn add(&mut self, later: Self) {
        self.erased_at = later.erased_at;
        self.conversations += later.conversations;
        for (table, rows) in later.rows {
            *self.rows.entry(table).or_default() += rows;
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    #[error("the visitor has more than {MOST_CONVERSATIONS} conversations: is this the id of one person?")]
    TooMany,
    #[error("{table} still has {rows} of the rows; the same command goes on")]
    Left { table: &'static str, rows: u64 },
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Erases visitors of one account.
pub struct Erasure<'a> {
    pub clickhouse: &'a ClickHouse,
    pub account: &'a Account,
    pub salt: &'a str,
    /// Only counts.
    pub is_dry_run: bool,
}

impl Erasure<'_> {
    /// Erases a visitor, whose id is given as it was sent. Again, it deletes what came in meanwhile.
    pub async fn erase(&self, visitor: &str) -> Result<Receipt, ErasureError> {
        let hash = hashed(visitor, self.salt);
        let mut names = Values::default();
        names.set("names", Value::Texts(vec![visitor.to_owned(), hash.clone()]));
        let conversations = self.conversations(&names).await?;
        let mut rows: BTreeMap<&'static str, u64> = BTreeMap::new();
        for some in conversations.chunks(CONVERSATIONS_AT_ONCE) {
            let mut of = Values::default();
            of.set("conversations", Value::Texts(some.to_vec()));
            let table = "assistants_tracing_spans";
            *rows.entry(table).or_default() +=
                self.delete(table, "conversation_id IN {conversations:Array(String)}", &of).await?;
        }
        for (table, condition) in OF_VISITOR {
            *rows.entry(table).or_default() += self.delete(table, condition, &names).await?;
        }
        Ok(Receipt {
            account: self.account.to_string(),
            visitor_sha256: hash,
            erased_at: Utc::now(),
            conversations: conversations.len() as u64,
            rows,
        })
    }

    /// Conversations that name this visitor and nobody else.
    async fn conversations(&self, names: &Values) -> Result<Vec<String>, ErasureError> {
        let database = self.account.analytics_database();
        let sql = format!(
            "SELECT conversation FROM (
                SELECT assumeNotNull(conversation_id) AS conversation, ifNull(visitor_id, '') AS who FROM `{database}`.events
                WHERE ifNull(conversation_id, '') != ''
                UNION ALL
                SELECT conversation_id AS conversation, user_id_hash AS who FROM `{database}`.assistants_tracing_spans
                WHERE conversation_id != ''
            ) GROUP BY conversation
            HAVING countIf(who IN {{names:Array(String)}}) > 0 AND countIf(who != '' AND who NOT IN {{names:Array(String)}}) = 0
            ORDER BY conversation LIMIT {}",
            MOST_CONVERSATIONS + 1
        );
        let found: Vec<String> = self.clickhouse.fetch_of(&sql, names).await?;
        if found.len() > MOST_CONVERSATIONS { Err(ErasureError::TooMany) } else { Ok(found) }
    }

    /// Deletes rows of a table, waits until that is done, and returns how many there were.
    async fn delete(&self, table: &'static str, condition: &str, of: &Values) -> Result<u64, ErasureError> {
        let database = self.account.analytics_database();
        let count = format!("SELECT toUInt64(count()) FROM `{database}`.{table} WHERE {condition}");
        let count = async || self.clickhouse.fetch_of::<u64>(&count, of).await.map(|rows| rows.iter().sum::<u64>());
        let before = count().await?;
        if before == 0 || self.is_dry_run {
            return Ok(before);
        }
        let altered = self.clickhouse.altered(&database, table);
        let sql = format!("ALTER TABLE {altered} DELETE WHERE {condition} SETTINGS mutations_sync = 2");
        self.clickhouse.execute_of(&sql, of).await?;
        match count().await? {
            0 => Ok(before),
            rows => Err(ErasureError::Left { table, rows }),
        }
    }
}
