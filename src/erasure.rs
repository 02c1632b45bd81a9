//! Erasure: what is known of one visitor is deleted, and a receipt says what that was.
//!
//! Rows that name the visitor go, as they were sent or by their hash; so do the spans of conversations that nobody else had
//! a part in, and of traces that name nobody else. Sums that name nobody stay: nobody can be told from them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::clickhouse::{ClickHouse, QueryError, Value, Values};
use crate::config::Account;
use crate::ingest::hashed;

/// Conversations or traces of one statement: a server takes no value of more than 128 KiB.
const AT_ONCE: usize = 1_000;
/// A visitor of more conversations or traces is a mistake, such as an id that a whole website has.
const MOST: usize = 100_000;

const SPANS: &str = "assistants_tracing_spans";
const SPANS_OF_VISITOR: &str = "user_id_hash IN {names:Array(String)}";

/// Whose rows of which table go: a condition on the names below.
const OF_VISITOR: [(&str, &str); 5] = [
    ("assistant_users_1h", "user_id_hash IN {names:Array(String)}"),
    ("experiment_units", "unit IN arrayMap(name -> cityHash64(name), {names:Array(String)})"),
    ("experiment_conversations", "unit IN arrayMap(name -> cityHash64(name), {names:Array(String)})"),
    ("dead_letters", OF_DEAD_LETTERS),
    // Last, since it says which conversations there were: who is interrupted finds them again.
    ("events", "visitor_id IN {names:Array(String)}"),
];

/// Fields that name a visitor, in rows and in messages that never became any.
const FIELDS: [&str; 3] = ["visitor_id", "user_id_hash", "user_id"];

/// A message that is no JSON, and so has no fields, is searched for what they would look like.
const OF_DEAD_LETTERS: &str = "if(isValidJSON(document),
    arrayExists(field -> if(JSONType(document, field) = 'String',
        JSONExtractString(document, field), JSONExtractRaw(document, field)) IN {names:Array(String)}, {fields:Array(String)}),
    arrayExists(written -> position(document, written) > 0, {written:Array(String)}))";

/// What was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    pub account: String,
    /// SHA-256 of the account's salt and the id: it tells the account, and nobody else, whose rows these were.
    pub visitor_sha256: String,
    pub erased_at: DateTime<Utc>,
    /// Whether nothing waited to be inserted. Otherwise the same is to be asked for again, when nothing does.
    pub complete: bool,
    /// Those that nobody else had a part in.
    pub conversations: u64,
    /// Rows by table.
    pub rows: BTreeMap<&'static str, u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    #[error("the visitor has more than {MOST} conversations or traces: is this the id of one person?")]
    TooMany,
    #[error("{table} still has {rows} of the rows; the same command goes on")]
    Left { table: &'static str, rows: u64 },
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Erases a visitor of one account.
pub struct Erasure<'a> {
    clickhouse: &'a ClickHouse,
    account: &'a Account,
    /// Only counts.
    is_dry_run: bool,
    hash: String,
    of_visitor: Values,
    /// What is the visitor's alone, by all that was seen so far: when rows come in late, those that said so are gone.
    conversations: BTreeSet<String>,
    traces: BTreeSet<String>,
    rows: BTreeMap<&'static str, u64>,
}

impl<'a> Erasure<'a> {
    /// The visitor is named as it was sent.
    pub fn new(clickhouse: &'a ClickHouse, account: &'a Account, salt: &str, visitor: &str, is_dry_run: bool) -> Self {
        let hash = hashed(visitor, salt);
        let names = vec![visitor.to_owned(), hash.clone()];
        let mut of_visitor = Values::default();
        of_visitor.set("written", Value::Texts(written(&names)));
        of_visitor.set("names", Value::Texts(names));
        of_visitor.set("fields", Value::Texts(FIELDS.map(str::to_owned).to_vec()));
        let (conversations, traces, rows) = Default::default();
        Self { clickhouse, account, is_dry_run, hash, of_visitor, conversations, traces, rows }
    }

    /// Erases what is there. Again, it erases what came in meanwhile.
    pub async fn pass(&mut self) -> Result<(), ErasureError> {
        let found = self.conversations().await?;
        self.conversations.extend(found);
        let found = self.traces().await?;
        self.traces.extend(found);
        let spans = self.spans().await?;
        *self.rows.entry(SPANS).or_default() += spans;
        for (table, condition) in OF_VISITOR {
            let rows = self.delete(table, condition, &self.of_visitor).await?;
            *self.rows.entry(table).or_default() += rows;
        }
        Ok(())
    }

    /// Spans that name the visitor, and those of conversations and traces that are the visitor's alone.
    async fn spans(&self) -> Result<u64, ErasureError> {
        let owned = [("conversation_id", &self.conversations), ("trace_id", &self.traces)]
            .map(|(column, of)| (column, of.iter().cloned().collect::<Vec<String>>()));
        if self.is_dry_run {
            // A span may be all of it, and is one.
            let mut values = self.of_visitor.clone();
            let owned = owned.map(|(column, of)| format!("{column} IN {}", values.pieces(column, &of)));
            let condition = format!("{SPANS_OF_VISITOR} OR {}", owned.join(" OR "));
            return Ok(self.count(SPANS, &condition, &values).await?);
        }
        let mut rows = self.delete(SPANS, SPANS_OF_VISITOR, &self.of_visitor).await?;
        for (column, of) in owned {
            for some in of.chunks(AT_ONCE) {
                let mut values = Values::default();
                values.set("some", Value::Texts(some.to_vec()));
                rows += self.delete(SPANS, &format!("{column} IN {{some:Array(String)}}"), &values).await?;
            }
        }
        Ok(rows)
    }

    /// What all passes have erased.
    pub fn receipt(self, complete: bool) -> Receipt {
        Receipt {
            account: self.account.to_string(),
            visitor_sha256: self.hash,
            erased_at: Utc::now(),
            complete,
            conversations: self.conversations.len() as u64,
            rows: self.rows,
        }
    }

    /// Conversations that name this visitor and nobody else.
    async fn conversations(&self) -> Result<Vec<String>, ErasureError> {
        let database = self.account.analytics_database();
        let of = format!(
            "SELECT assumeNotNull(conversation_id) AS it, ifNull(visitor_id, '') AS who FROM `{database}`.events
            WHERE ifNull(conversation_id, '') != ''
            UNION ALL
            SELECT conversation_id AS it, user_id_hash AS who FROM `{database}`.{SPANS} WHERE conversation_id != ''"
        );
        self.of_nobody_else(&of).await
    }

    /// Traces that name this visitor and nobody else.
    async fn traces(&self) -> Result<Vec<String>, ErasureError> {
        let database = self.account.analytics_database();
        self.of_nobody_else(&format!("SELECT trace_id AS it, user_id_hash AS who FROM `{database}`.{SPANS}")).await
    }

    async fn of_nobody_else(&self, of: &str) -> Result<Vec<String>, ErasureError> {
        let sql = format!(
            "SELECT it FROM ({of}) GROUP BY it
            HAVING countIf(who IN {{names:Array(String)}}) > 0 AND countIf(who != '' AND who NOT IN {{names:Array(String)}}) = 0
            ORDER BY it LIMIT {}",
            MOST + 1
        );
        let found: Vec<String> = self.clickhouse.fetch_of(&sql, &self.of_visitor).await?;
        if found.len() > MOST { Err(ErasureError::TooMany) } else { Ok(found) }
    }

    /// Deletes rows of a table, waits until that is done, and returns how many there were.
    async fn delete(&self, table: &'static str, condition: &str, of: &Values) -> Result<u64, ErasureError> {
        let before = self.count(table, condition, of).await?;
        if before == 0 || self.is_dry_run {
            return Ok(before);
        }
        let altered = self.clickhouse.altered(&self.account.analytics_database(), table);
        let sql = format!("ALTER TABLE {altered} DELETE WHERE {condition} SETTINGS mutations_sync = 2");
        self.clickhouse.execute_of(&sql, of).await?;
        match self.count(table, condition, of).await? {
            0 => Ok(before),
            rows => Err(ErasureError::Left { table, rows }),
        }
    }

    async fn count(&self, table: &str, condition: &str, of: &Values) -> Result<u64, QueryError> {
        let database = self.account.analytics_database();
        let count = format!("SELECT toUInt64(count()) FROM `{database}`.{table} WHERE {condition}");
        Ok(self.clickhouse.fetch_of::<u64>(&count, of).await?.iter().sum())
    }
}

/// The fields with these names in them, as JSON writes them.
fn written(names: &[String]) -> Vec<String> {
    let quoted = names.iter().flat_map(|name| {
        let text = serde_json::Value::from(name.as_str()).to_string();
        // Some write `/` as `\/`.
        [text.replace('/', "\\/"), text]
    });
    quoted.flat_map(|name| FIELDS.map(|field| format!("\"{field}\":{name}"))).collect()
}
