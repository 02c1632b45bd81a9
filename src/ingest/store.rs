//! The store of events: takes rows that were accepted, and answers when they are on disk.
//!
//! The one place that inserts. Duplicates are set aside before the insert, because a rollup counts
//! whatever is inserted; so that two requests with the same id cannot both find it missing, the rows
//! of an account are stored one request after the other.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Datelike, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::event::Event;
use crate::clickhouse::{ClickHouse, Freshness, QueryError};
use crate::config::Account;

/// Stores events.
pub struct EventStore {
    clickhouse: ClickHouse,
    freshness: Arc<Freshness>,
    accounts: HashMap<Account, AccountStore>,
}

struct AccountStore {
    salt: String,
    one_at_a_time: Mutex<()>,
}

/// What was stored.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub accepted: u64,
    pub duplicates: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no account {0}")]
    UnknownAccount(Account),
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// A row of `events`, in the order of its columns.
#[derive(Row, Serialize)]
struct EventRow<'a> {
    #[serde(with = "clickhouse::serde::uuid")]
    event_id: Uuid,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    time_utc: DateTime<Utc>,
    event: &'a str,
    profile_code: Option<&'a str>,
    platform_session_id: Option<&'a str>,
    platform: Option<&'a str>,
    agent_id: Option<&'a str>,
    agent_email: Option<&'a str>,
    agent_name: Option<&'a str>,
    visitor_id: Option<&'a str>,
    conversation_id: Option<&'a str>,
    data: &'a str,
    #[serde(rename = "suggestions.id")]
    suggestion_ids: Vec<&'a str>,
    #[serde(rename = "suggestions.source")]
    suggestion_sources: Vec<&'a str>,
    #[serde(rename = "suggestions.len_text")]
    suggestion_lengths: Vec<u32>,
    #[serde(rename = "suggestions.edited")]
    suggestion_edited: Vec<bool>,
    #[serde(rename = "suggestions.rest")]
    suggestion_rests: Vec<&'a str>,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    ingested_at: DateTime<Utc>,
}

#[derive(Row, Deserialize)]
struct IdRow {
    #[serde(with = "clickhouse::serde::uuid")]
    event_id: Uuid,
}

const TABLE: &str = "events";

impl EventStore {
    /// Opens the store; makes the salt of an account that has none.
    pub async fn open(
        clickhouse: ClickHouse,
        freshness: Arc<Freshness>,
        accounts: &[Account],
    ) -> Result<Self, QueryError> {
        let mut stores = HashMap::new();
        for account in accounts {
            let salt = salt(&clickhouse, account).await?;
            stores.insert(account.clone(), AccountStore { salt, one_at_a_time: Mutex::default() });
        }
        Ok(Self { clickhouse, freshness, accounts: stores })
    }

    /// The salt that raw user ids of an account are hashed with.
    pub fn salt(&self, account: &Account) -> Result<&str, StoreError> {
        Ok(&self.account(account)?.salt)
    }

    fn account(&self, account: &Account) -> Result<&AccountStore, StoreError> {
        self.accounts.get(account).ok_or_else(|| StoreError::UnknownAccount(account.clone()))
    }

    /// Stores events, each id once; when this returns `Ok`, they are on disk and can be read.
    pub async fn store(&self, account: &Account, events: Vec<Event>) -> Result<Stored, StoreError> {
        let _turn = self.account(account)?.one_at_a_time.lock().await;
        let given = events.len() as u64;
        let mut ids = HashSet::with_capacity(events.len());
        let mut events: Vec<Event> = events.into_iter().filter(|event| ids.insert(event.event_id)).collect();
        let known = self.known(account, &ids).await?;
        events.retain(|event| !known.contains(&event.event_id));
        // A part of a month each: an insert may touch a bounded number of them.
        let mut by_month: BTreeMap<(i32, u32), Vec<&Event>> = BTreeMap::new();
        for event in &events {
            by_month.entry((event.time_utc.year(), event.time_utc.month())).or_default().push(event);
        }
        let accepted = events.len() as u64;
        for events in by_month.values() {
            self.insert(account, events).await?;
        }
        Ok(Stored { accepted, duplicates: given - accepted })
    }

    /// Which of these ids are stored already.
    async fn known(&self, account: &Account, ids: &HashSet<Uuid>) -> Result<HashSet<Uuid>, QueryError> {
        let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        let sql = format!(
            "SELECT event_id FROM `{}`.{TABLE} WHERE event_id IN {{ids:Array(UUID)}}",
            account.analytics_database()
        );
        let rows: Vec<IdRow> = self.clickhouse.client().query_raw(&sql).param("ids", ids).fetch_all().await?;
        Ok(rows.into_iter().map(|row| row.event_id).collect())
    }

    async fn insert(&self, account: &Account, events: &[&Event]) -> Result<(), QueryError> {
        let ingested_at = Utc::now();
        let table = format!("`{}`.{TABLE}", account.analytics_database());
        // Without validation no DESCRIBE goes before each insert; a test reads every column back.
        let client = self.clickhouse.client().clone().with_validation(false);
        let mut insert = client
            .insert_unescaped::<EventRow<'_>>(&table)
            .await?
            .with_setting("insert_deduplication_token", Uuid::now_v7().to_string())
            .with_setting("deduplicate_blocks_in_dependent_materialized_views", "1");
        for event in events {
            insert.write(&EventRow::new(event, ingested_at)).await?;
        }
        insert.end().await?;
        self.freshness.note(account, TABLE, ingested_at);
        Ok(())
    }
}

impl<'a> EventRow<'a> {
    fn new(event: &'a Event, ingested_at: DateTime<Utc>) -> Self {
        let suggestions = &event.suggestions;
        Self {
            event_id: event.event_id,
            time_utc: event.time_utc,
            event: &event.event,
            profile_code: event.profile_code.as_deref(),
            platform_session_id: event.platform_session_id.as_deref(),
            platform: event.platform.as_deref(),
            agent_id: event.agent_id.as_deref(),
            agent_email: event.agent_email.as_deref(),
            agent_name: event.agent_name.as_deref(),
            visitor_id: event.visitor_id.as_deref(),
            conversation_id: event.conversation_id.as_deref(),
            data: &event.data,
            suggestion_ids: suggestions.iter().map(|suggestion| suggestion.id.as_str()).collect(),
            suggestion_sources: suggestions.iter().map(|suggestion| suggestion.source.as_str()).collect(),
            suggestion_lengths: suggestions.iter().map(|suggestion| suggestion.len_text).collect(),
            suggestion_edited: suggestions.iter().map(|suggestion| suggestion.edited).collect(),
            suggestion_rests: suggestions.iter().map(|suggestion| suggestion.rest.as_str()).collect(),
            ingested_at,
        }
    }
}

/// The account's salt; made when there is none. The earliest one counts, so that two instances that
/// make one at the same time agree.
async fn salt(clickhouse: &ClickHouse, account: &Account) -> Result<String, QueryError> {
    let table = format!("`{}`._account_settings", account.analytics_database());
    let read = format!("SELECT argMin(value, (set_at, value)) FROM {table} WHERE name = 'salt' HAVING count() > 0");
    if let Some(salt) = clickhouse.fetch::<String>(&read).await?.pop() {
        return Ok(salt);
    }
    let made = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    clickhouse.execute(&format!("INSERT INTO {table} SELECT 'salt', '{made}', now64(6)")).await?;
    let salt = clickhouse.fetch::<String>(&read).await?.pop();
    salt.ok_or_else(|| QueryError::other("the account's salt was written and is not there"))
}
