//! The base repository: a template and a question become rows.
//!
//! This is a security boundary: see [`mod@render`] for what every statement gets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clickhouse::{RowOwned, RowRead};
use minijinja::value::Value as Variable;

use crate::auth::{OutsideGrant, Reader, Scope};
use crate::clickhouse::{ClickHouse, Freshness, QueryError, Rows, Statement, Values};
use crate::config::Account;
use crate::query::dataset::{Dataset, FieldName};
use crate::query::filters::Condition;
use crate::query::{Buckets, Range, Source, Sources};

mod operational;
mod recorder;
mod render;

pub use operational::{AssistantNames, Connection, Known, OperationalDatabase, read_assistant_names};
pub use recorder::{Recorder, Statements};
use render::{Rendered, render};

const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks ClickHouse questions, for readers.
pub struct Repository {
    clickhouse: ClickHouse,
    freshness: Arc<Freshness>,
    recorder: Option<Recorder>,
}

/// What is read: facts of a dataset, within a window, under conditions.
pub struct Facts<'a> {
    pub dataset: &'static Dataset,
    /// The window, `[from, to)`.
    pub range: &'a Range,
    pub conditions: &'a [Condition],
    /// Fields that the question itself needs, besides those of its conditions.
    pub fields: Vec<FieldName>,
    pub sources: Sources,
}

/// A question.
pub struct Ask<'a> {
    /// The template's path below `sql_templates/`.
    pub template: &'static str,
    pub facts: Facts<'a>,
    /// Other facts that the template reads as well, by the names under which it prints them.
    pub joined: Vec<(&'static str, Facts<'a>)>,
    /// The time axis.
    pub buckets: &'a Buckets,
    /// Values of the placeholders that the template writes.
    pub values: Values,
    /// Further names that the template uses.
    pub variables: Vec<(&'static str, Variable)>,
}

/// Rows, and where they were read from.
pub struct Answered<R> {
    pub rows: Arc<Rows<R>>,
    pub source: Source,
    /// Where joined facts were read from.
    pub joined: Vec<Source>,
}

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error(transparent)]
    OutsideGrant(#[from] OutsideGrant),
    #[error("the scope `{}` is needed to filter by this", .0.name())]
    InsufficientScope(Scope),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("{template} cannot be rendered: {error:#}")]
    Template { template: &'static str, error: minijinja::Error },
    #[error("{template} reads {tables} tables with {conditions} base conditions")]
    WithoutBaseCondition { template: &'static str, tables: usize, conditions: usize },
}

impl Repository {
    pub fn new(clickhouse: ClickHouse, freshness: Arc<Freshness>) -> Self {
        Self { clickhouse, freshness, recorder: None }
    }

    /// The same, with every statement noted.
    pub fn recorded_by(self, recorder: Recorder) -> Self {
        Self { recorder: Some(recorder), ..self }
    }

    /// Answers a question.
    pub async fn ask<R>(&self, reader: &Reader, ask: Ask<'_>) -> Result<Answered<R>, AskError>
    where
        R: RowOwned + RowRead + Send + Sync + 'static,
    {
        let Rendered { sql, values, source, joined } = render(reader, &ask)?;
        if let Some(recorder) = &self.recorder {
            recorder.note(ask.template, sql.to_string(), values.clone());
        }
        let account = &reader.principal.account;
        let statement = Statement {
            sql,
            values,
            template: ask.template,
            account: account.clone(),
            query_id: reader.query_id(),
            data_version: self.freshness.version(account),
        };
        let rows = self.clickhouse.rows(statement).await?;
        Ok(Answered { rows, source, joined })
    }

    /// Runs a real aggregate on an account, to see whether it can be asked.
    pub async fn probe(&self, account: &Account) -> Result<(), QueryError> {
        let sql = format!("SELECT toUInt64(sum(messages)) FROM `{}`.recommendations_1h", account.analytics_database());
        let answer = tokio::time::timeout(PROBE_TIMEOUT, self.clickhouse.fetch::<u64>(&sql)).await;
        answer.unwrap_or_else(|_| Err(QueryError::overloaded("the aggregate took too long"))).map(drop)
    }

    /// Sets the gauges of the metrics.
    pub fn measure(&self) {
        self.clickhouse.measure();
    }

    /// When the newest row of a dataset came in.
    pub async fn fresh_as_of(&self, reader: &Reader, dataset: &Dataset) -> Result<Option<DateTime<Utc>>, QueryError> {
        let mut newest = None;
        for table in dataset.tables {
            newest = newest.max(self.newest(&reader.principal.account, table).await?);
        }
        Ok(newest)
    }

    /// When the newest row of a table came in.
    pub async fn newest(&self, account: &Account, table: &'static str) -> Result<Option<DateTime<Utc>>, QueryError> {
        self.freshness.newest(account, table).await
    }

    /// The number of dead letters by the table that they were for.
    pub async fn dead_letters(&self, account: &Account) -> Result<BTreeMap<String, u64>, QueryError> {
        #[derive(clickhouse::Row, serde::Deserialize)]
        struct CountRow {
            table_name: String,
            rows: u64,
        }
        let sql = format!(
            "SELECT toString(table_name) AS table_name, toUInt64(count()) AS rows FROM `{}`.dead_letters GROUP BY table_name",
            account.analytics_database()
        );
        let rows: Vec<CountRow> = self.clickhouse.fetch(&sql).await?;
        Ok(rows.into_iter().map(|row| (row.table_name, row.rows)).collect())
    }
}
