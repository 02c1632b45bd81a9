//! The base repository: a template and a question become rows.
//!
//! This is a security boundary. Every read gets its base condition here: the reader's account names
//! the database, and the reader's grants, the half-open window and the question's filters are
//! conditions on the rows. A template gets a table only through `table` and `rollup`, and it must
//! print a base condition for each; one that does not is refused before it is sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use clickhouse::{RowOwned, RowRead};
use minijinja::value::Value as Variable;

use crate::auth::{OutsideGrant, Reader, Scope};
use crate::clickhouse::{
    ClickHouse, Freshness, QueryError, Rows, Sql, Statement, Value, Values, all_of, any_of, template,
};
use crate::config::Account;
use crate::query::dataset::{Dataset, FieldName};
use crate::query::filters::Condition;
use crate::query::{Buckets, Range, Source, Sources};

mod operational;
mod recorder;

pub use operational::{AssistantNames, Connection, Known, OperationalDatabase, read_assistant_names};
pub use recorder::{Recorder, Statements};

const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks ClickHouse questions, for readers.
pub struct Repository {
    clickhouse: ClickHouse,
    freshness: Arc<Freshness>,
    recorder: Option<Recorder>,
}

/// A question to a dataset.
pub struct Ask<'a> {
    /// The template's path below `sql_templates/`.
    pub template: &'static str,
    pub dataset: &'static Dataset,
    /// The window, `[from, to)`.
    pub range: &'a Range,
    pub conditions: &'a [Condition],
    /// The time axis.
    pub buckets: &'a Buckets,
    /// Fields that the question itself needs, besides those of its conditions.
    pub fields: Vec<FieldName>,
    pub sources: Sources,
    /// Values of the placeholders that the template writes.
    pub values: Values,
    /// Further names that the template uses.
    pub variables: Vec<(&'static str, Variable)>,
}

/// Rows, and where they were read from.
pub struct Answered<R> {
    pub rows: Arc<Rows<R>>,
    pub source: Source,
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
        let (sql, values, source) = render(reader, &ask)?;
        if let Some(recorder) = &self.recorder {
            recorder.note(ask.template, sql.to_string(), values.clone());
        }
        let account = &reader.principal.account;
        let statement = Statement {
            sql,
            values,
            comment: format!("chartwell {} {account}", ask.template),
            query_id: reader.query_id(),
            data_version: self.freshness.version(account),
        };
        let rows = self.clickhouse.rows(statement).await?;
        Ok(Answered { rows, source })
    }

    /// Runs a real aggregate on an account, to see whether it can be asked.
    pub async fn probe(&self, account: &Account) -> Result<(), QueryError> {
        let sql = format!("SELECT toUInt64(sum(messages)) FROM `{}`.recommendations_1h", account.analytics_database());
        let answer = tokio::time::timeout(PROBE_TIMEOUT, self.clickhouse.fetch::<u64>(&sql)).await;
        answer.unwrap_or_else(|_| Err(QueryError::overloaded("the aggregate took too long"))).map(drop)
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

/// Renders the statement of a question, with its values, and says what it reads.
pub fn render(reader: &Reader, ask: &Ask<'_>) -> Result<(Sql, Values, Source), AskError> {
    let grants = &reader.principal.grants;
    grants.check(ask.dataset, ask.conditions)?;
    reader.principal.check_content(ask.dataset, ask.conditions).map_err(AskError::InsufficientScope)?;

    let edges = ask.buckets.edges();
    let granted = ask.dataset.fields.iter().filter(|field| grants.0.contains_key(field.name));
    let granted: Vec<FieldName> = granted.map(|field| FieldName::Column(field.name)).collect();
    let asked = ask.conditions.iter().flat_map(|condition| &condition.any_of).map(|predicate| &predicate.field);
    let fields = ask.fields.iter().chain(&granted).chain(asked);
    let source = match ask.sources {
        Sources::Any => Source::choose(ask.dataset, fields, (ask.range.from, ask.range.to), &edges),
        Sources::Raw => Source::Raw,
    };

    let mut values = ask.values.clone();
    values.set("edges", Value::Wholes(edges));
    let granted = grants_of(reader, &mut values);
    let counts = Arc::new(Counts::default());
    let mut context = context(reader, ask, &source, &granted, &mut values, &counts);
    let unfiltered = [Unfiltered::beside(ask.range), Unfiltered::around(ask.range)].map(Arc::new);
    for window in &unfiltered {
        context.insert(window.name, window.condition(&granted, &counts));
    }
    let sql = template::render(ask.template, Variable::from(context))
        .map_err(|error| AskError::Template { template: ask.template, error })?;
    unfiltered.iter().for_each(|window| window.bind(&mut values));
    let (tables, conditions) = (counts.tables.load(Ordering::Relaxed), counts.conditions.load(Ordering::Relaxed));
    if tables == 0 || tables != conditions {
        return Err(AskError::WithoutBaseCondition { template: ask.template, tables, conditions });
    }
    Ok((sql, values, source))
}

/// How often a template printed a table, and how often a base condition.
#[derive(Default)]
struct Counts {
    tables: AtomicUsize,
    conditions: AtomicUsize,
}

/// What the reader may see, as conditions.
fn grants_of(reader: &Reader, values: &mut Values) -> Vec<Sql> {
    let grants = reader.principal.grants.0.iter().map(|(field, granted)| (Sql::identifier(field), granted.clone()));
    grants.map(|(field, granted)| values.one_of(&field, granted)).collect()
}

/// The base condition of rows that only stand beside those that the filters are about: the grants and a window, but no
/// filters. A template prints it in the base condition's place, by its name.
struct Unfiltered {
    name: &'static str,
    /// The names of its bounds, and how a statement writes them.
    bounds: [(&'static str, &'static str); 2],
    window: (DateTime<Utc>, DateTime<Utc>),
    is_used: AtomicBool,
}

impl Unfiltered {
    /// In the very window of the question.
    fn beside(range: &Range) -> Self {
        let window = (range.from, range.to);
        let bounds =
            [("from_beside", "{from_beside:DateTime64(6, 'UTC')}"), ("to_beside", "{to_beside:DateTime64(6, 'UTC')}")];
        Self { name: "beside", bounds, window, is_used: AtomicBool::new(false) }
    }

    /// With a day before and after it.
    fn around(range: &Range) -> Self {
        let day = chrono::Duration::days(1);
        let window = (range.from - day, range.to + day);
        let bounds =
            [("from_around", "{from_around:DateTime64(6, 'UTC')}"), ("to_around", "{to_around:DateTime64(6, 'UTC')}")];
        Self { name: "around", bounds, window, is_used: AtomicBool::new(false) }
    }

    fn condition(self: &Arc<Self>, granted: &[Sql], counts: &Arc<Counts>) -> Variable {
        let (window, granted, counts) = (Arc::clone(self), granted.to_vec(), Arc::clone(counts));
        Variable::from_function(move |column: String| {
            counts.conditions.fetch_add(1, Ordering::Relaxed);
            window.is_used.store(true, Ordering::Relaxed);
            let [from, to] = window.bounds.map(|(_, written)| Sql::constant(written));
            let within = Sql::within(&Sql::identifier(&column), &from, &to);
            Variable::from(all_of(&[vec![within], granted.clone()].concat()))
        })
    }

    /// Binds its bounds, when the template has printed it.
    fn bind(&self, values: &mut Values) {
        if self.is_used.load(Ordering::Relaxed) {
            let [(from, _), (to, _)] = self.bounds;
            values.set(from, Value::Time(self.window.0));
            values.set(to, Value::Time(self.window.1));
        }
    }
}

fn context(
    reader: &Reader,
    ask: &Ask<'_>,
    source: &Source,
    granted: &[Sql],
    values: &mut Values,
    counts: &Arc<Counts>,
) -> BTreeMap<&'static str, Variable> {
    let database = reader.principal.account.analytics_database();
    let (from, to) = (ask.range.from, ask.range.to);
    let mut variables: Vec<(&'static str, Variable)> = Vec::new();

    let filters = ask.conditions.iter().map(|condition| values.condition(condition, ask.dataset.json));
    let conditions = [granted.to_vec(), filters.collect()].concat();
    // Raw rows: the whole window, or what a rollup leaves at its ends.
    let base = |values: &mut Values, windows: &[(DateTime<Utc>, DateTime<Utc>)]| {
        let conditions = conditions.clone();
        let windows: Vec<_> = windows.iter().map(|(from, to)| (values.time(*from), values.time(*to))).collect();
        let counts = Arc::clone(counts);
        move |column: &str| {
            counts.conditions.fetch_add(1, Ordering::Relaxed);
            let column = Sql::identifier(column);
            let windows: Vec<Sql> = windows.iter().map(|(from, to)| Sql::within(&column, from, to)).collect();
            let window = if let [only] = windows.as_slice() { only.clone() } else { any_of(&windows) };
            Variable::from(all_of(&[vec![window], conditions.clone()].concat()))
        }
    };
    let of_raw_rows = |values: &mut Values, windows: &[(DateTime<Utc>, DateTime<Utc>)]| {
        let base = base(values, windows);
        Variable::from_function(move |column: String| base(&column))
    };
    match source {
        Source::Raw => variables.push(("base", of_raw_rows(values, &[(from, to)]))),
        Source::Rollup { rollup, from: first, to: last } => {
            let ends: Vec<_> = [(from, *first), (*last, to)].into_iter().filter(|(from, to)| from < to).collect();
            variables.push(("has_ends", Variable::from(!source.is_all_rollup(ask.range))));
            variables.push(("base", of_raw_rows(values, &ends)));
            let (base, time) = (base(values, &[(*first, *last)]), rollup.time());
            variables.push(("base_of_rollup", Variable::from_function(move || base(time))));
            variables.push(("rollup_time", Sql::identifier(time).into()));
            variables.push(("columns", Sql::list(&[rollup.fields, rollup.measures].concat()).into()));
            let (counts, name) = (Arc::clone(counts), Sql::dotted(&[&database, rollup.table]));
            variables.push((
                "rollup",
                Variable::from_function(move || {
                    counts.tables.fetch_add(1, Ordering::Relaxed);
                    Variable::from(name.clone())
                }),
            ));
        }
    }
    let facts = match source {
        Source::Raw => "shared/facts_of_raw_rows.sql",
        Source::Rollup { .. } => "shared/facts_of_rollup.sql",
    };
    variables.push(("facts", Variable::from(facts)));
    variables.push(("raw_facts", Variable::from(ask.dataset.facts)));
    // Answers by time: the start of the bucket that a fact lies in.
    variables.push(("bucket", Sql::constant("roundDown(toUnixTimestamp(time), {edges:Array(UInt32)})").into()));
    let counts = Arc::clone(counts);
    variables.push((
        "table",
        Variable::from_function(move |name: String| {
            counts.tables.fetch_add(1, Ordering::Relaxed);
            Variable::from(Sql::dotted(&[&database, &name]))
        }),
    ));
    variables.extend(ask.variables.iter().cloned());
    variables.into_iter().collect()
}
