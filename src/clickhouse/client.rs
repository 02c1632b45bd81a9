//! The one database client: a server over TCP, or the engine of this process over a pipe.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clickhouse::{Client, RowOwned, RowRead, RowWrite};
use moka::future::Cache;
use tracing::Instrument;

use super::admission::{Admission, Priority};
use super::connections::{Place, connections};
use super::embedded::Engine;
use super::error::UNFINISHED;
use super::running::Running;
use super::servers::Servers;
use super::statement::{Rows, Statement};
use super::{QueryError, Sql, Values};
use crate::config::QueryConfig;
use crate::outbound::ClientError;
use crate::traces;

/// An answer is not given again after this, even if no newer data came in.
const ANSWERS_LAST: Duration = Duration::from_secs(60);
/// Rows that others insert are seen after this at the latest.
const ANSWERS_LAST_BESIDE_OTHERS: Duration = Duration::from_secs(1);
/// Bytes of rows, roughly, that are kept for being asked again.
const ANSWERS_BYTES: u64 = 32 << 20;
/// An insert that takes longer has an unknown outcome, and is tried again.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
const INSERT_TIMEOUT: Duration = Duration::from_secs(300);
/// A block of fewer bytes is inserted by threads that yield to questions, where the process may make threads do so
/// for a while (`CAP_SYS_NICE`). A larger one means that rows come in fast, and must not wait.
const YIELDING_BYTES: usize = 6 << 20;
const YIELDING: &str = "10";
/// Threads that take what all others leave.
const LEAST: &str = "19";
/// How much longer than it may run a statement is waited for: then the server is silent.
const SILENCE: Duration = Duration::from_secs(5);
/// Rows that one question may return; more is a mistake of ours.
const MOST_RESULT_ROWS: usize = 500_000;
/// Bytes that one question may return; one that may need more has to say so with less.
const MOST_RESULT_BYTES: usize = 32 << 20;

/// ClickHouse, wherever it is. Cheap to clone.
#[derive(Clone)]
pub struct ClickHouse {
    inner: Arc<Inner>,
}

struct Inner {
    servers: Servers,
    is_embedded: bool,
    /// The engine of this process.
    engine: Option<&'static Engine>,
    others_insert: bool,
    cluster: Option<String>,
    threads_may_yield: bool,
    admission: Admission,
    answers: Option<Cache<String, Answer>>,
    limits: QueryConfig,
}

/// Rows of any type, with their size.
#[derive(Clone)]
struct Answer {
    bytes: u32,
    rows: Arc<dyn Any + Send + Sync>,
}

impl ClickHouse {
    pub fn new(place: Place<'_>, limits: &QueryConfig) -> Result<Self, ClientError> {
        let is_embedded = !matches!(place, Place::Servers(_));
        let engine = match place {
            Place::Embedded { engine, .. } => Some(engine),
            Place::Beside(_) | Place::Servers(_) => None,
        };
        let others_insert = !matches!(place, Place::Embedded { others_insert: false, .. });
        let threads_may_yield = engine.is_some_and(Engine::threads_may_yield);
        let servers = connections(place)?;
        let answers_last = if others_insert { ANSWERS_LAST_BESIDE_OTHERS } else { ANSWERS_LAST };
        let answers = limits.query_cache.then(|| {
            let bytes = |_: &String, answer: &Answer| answer.bytes;
            Cache::builder().max_capacity(ANSWERS_BYTES).weigher(bytes).time_to_live(answers_last).build()
        });
        Ok(Self {
            inner: Arc::new(Inner {
                servers,
                is_embedded,
                engine,
                others_insert,
                cluster: match place {
                    Place::Embedded { .. } | Place::Beside(_) => None,
                    Place::Servers(config) => config.clickhouse_cluster.clone(),
                },
                threads_may_yield,
                admission: Admission::new(
                    limits,
                    match place {
                        Place::Servers(config) => Some(config.clickhouse_url.len()),
                        Place::Embedded { .. } | Place::Beside(_) => None,
                    },
                ),
                answers,
                limits: limits.clone(),
            }),
        })
    }

    /// Sets the gauges of the metrics.
    pub fn measure(&self) {
        self.inner.admission.measure();
    }

    /// Whether it is an engine in a process, of which there is no other one.
    pub fn is_embedded(&self) -> bool {
        self.inner.is_embedded
    }

    /// Whether rows come in that this process does not insert.
    pub fn others_insert(&self) -> bool {
        self.inner.others_insert
    }

    /// What holds the rows of a table, as a statement names it that changes them.
    pub fn altered(&self, database: &str, table: &str) -> Sql {
        match &self.inner.cluster {
            None => Sql::dotted(&[database, table]),
            Some(cluster) => Sql::words(&[
                Sql::dotted(&[database, &format!("{table}_local")]),
                Sql::constant("ON CLUSTER"),
                Sql::identifier(cluster),
            ]),
        }
    }

    /// Waits until whichever server is asked next knows what was inserted into a table so far: replicas of a cluster
    /// have it when they come to it. One that is away is not waited for.
    pub async fn synchronize(&self, database: &str, table: &str) -> Result<(), QueryError> {
        match self.synchronization(database, table) {
            Some(statement) => self.execute(statement.as_str()).await,
            None => Ok(()),
        }
    }

    fn synchronization(&self, database: &str, table: &str) -> Option<Sql> {
        let cluster = self.inner.cluster.as_deref()?;
        Some(Sql::words(&[
            Sql::constant("SYSTEM SYNC REPLICA ON CLUSTER"),
            Sql::identifier(cluster),
            Sql::dotted(&[database, &format!("{table}_local")]),
            // Until it has the rows, whatever it is still to merge.
            Sql::constant("LIGHTWEIGHT"),
        ]))
    }

    /// The bare client of a server that answers.
    pub fn client(&self) -> &Client {
        self.inner.servers.client()
    }

    /// Asks a server, and another one when that cannot answer: it must be possible to ask more than once.
    pub async fn ask<T, F>(&self, ask: impl Fn(Client) -> F) -> Result<T, QueryError>
    where
        F: Future<Output = Result<T, clickhouse::error::Error>>,
    {
        let (ask, is_embedded) = (&ask, self.inner.is_embedded);
        self.inner
            .servers
            .ask(|client| async move {
                let outcome = ask(client).await.map_err(QueryError::from);
                if is_embedded { outcome } else { outcome.map_err(QueryError::of_one_of_many) }
            })
            .await
    }

    /// Runs a statement of ours that has no rows to give, without the bounds of a question.
    pub async fn execute(&self, sql: &str) -> Result<(), QueryError> {
        self.execute_with(sql, &[("max_execution_time", "0")]).await
    }

    /// The same with these settings.
    pub async fn execute_with(&self, sql: &str, settings: &[(&'static str, &'static str)]) -> Result<(), QueryError> {
        let done = self.ask(|client| async move {
            let query = client.query_raw(sql);
            settings.iter().fold(query, |query, (name, value)| query.with_setting(*name, *value)).execute().await
        });
        begun(done.await)
    }

    /// The rows of a statement of ours, without the bounds of a question.
    pub async fn fetch<R: RowOwned + RowRead>(&self, sql: &str) -> Result<Vec<R>, QueryError> {
        self.answered(self.fetch_with(sql, &[])).await
    }

    /// Runs a statement of ours with values.
    pub async fn execute_of(&self, sql: &str, values: &Values) -> Result<(), QueryError> {
        let done = self.ask(|client| async move {
            let query = client.query_raw(sql).with_setting("max_execution_time", "0");
            values.iter().fold(query, |query, (name, value)| query.param(name, value)).execute().await
        });
        begun(done.await)
    }

    /// The rows of a statement of ours with values, however long it takes.
    pub async fn fetch_of<R: RowOwned + RowRead>(&self, sql: &str, values: &Values) -> Result<Vec<R>, QueryError> {
        self.ask(|client| async move {
            let query = client.query_raw(sql).with_setting("max_execution_time", "0");
            values.iter().fold(query, |query, (name, value)| query.param(name, value)).fetch_all().await
        })
        .await
    }

    /// The same with these settings, however long it takes.
    pub async fn fetch_with<R: RowOwned + RowRead>(
        &self,
        sql: &str,
        settings: &[(&'static str, &'static str)],
    ) -> Result<Vec<R>, QueryError> {
        self.ask(|client| async move {
            let query = client.query_raw(sql);
            settings.iter().fold(query, |query, (name, value)| query.with_setting(*name, *value)).fetch_all().await
        })
        .await
    }

    /// What a statement gives, unless nothing comes for longer than a question may take: a server that cannot
    /// be reached does not always say so.
    pub async fn answered<T>(&self, answer: impl Future<Output = Result<T, QueryError>>) -> Result<T, QueryError> {
        let patience = Duration::from_secs(self.inner.limits.query_timeout_seconds) + SILENCE;
        let silent = |_| QueryError::unavailable(format!("no answer for {} s", patience.as_secs()));
        tokio::time::timeout(patience, answer).await.map_err(silent)?
    }

    /// Inserts a block of format `Native` into a table, under a token: the same block under the same
    /// token again changes nothing, in the table or in what its views make of it.
    pub async fn insert_block(
        &self,
        table: &str,
        columns: &str,
        block: Vec<Bytes>,
        token: &str,
    ) -> Result<(), QueryError> {
        let sql = format!("INSERT INTO {table} ({columns}) FORMAT Native");
        let settings = [
            ("insert_deduplication_token", token),
            // Table and views are not one transaction: a retry that the table drops must reach the views.
            ("deduplicate_blocks_in_dependent_materialized_views", "1"),
            // In JSON that comes as text, a value stays what it is: a text that looks like a date, and the items
            // of a list that are of several types.
            ("input_format_try_infer_dates", "0"),
            ("input_format_try_infer_datetimes", "0"),
            ("input_format_json_read_bools_as_numbers", "0"),
            ("input_format_json_read_bools_as_strings", "0"),
            ("input_format_json_read_numbers_as_strings", "0"),
            ("input_format_json_read_arrays_as_strings", "0"),
            ("type_json_skip_duplicated_paths", "1"),
        ];
        if self.inner.is_embedded {
            self.inner.admission.note_insert();
        }
        let yields = self.inner.threads_may_yield && block.iter().map(Bytes::len).sum::<usize>() < YIELDING_BYTES;
        let (sql, block) = (&sql, &block);
        self.ask(|client| async move {
            let insert = client.insert_formatted_with(sql).with_timeouts(Some(SEND_TIMEOUT), Some(INSERT_TIMEOUT));
            let mut insert =
                settings.into_iter().fold(insert, |insert, (name, value)| insert.with_setting(name, value));
            if yields {
                insert = insert.with_setting("os_threads_nice_value_query", YIELDING);
            }
            for piece in block {
                if let Err(broken) = insert.send(piece.clone()).await {
                    // Why it broke off is in the answer.
                    return Err(insert.end().await.err().unwrap_or(broken));
                }
            }
            insert.end().await
        })
        .await
    }

    /// Inserts rows of our own; under a token, the same rows again change nothing, as with [`Self::insert_block`].
    pub async fn insert_rows<R>(
        &self,
        (database, table): (&str, &str),
        rows: &[R],
        token: Option<&str>,
    ) -> Result<(), QueryError>
    where
        R: RowOwned + RowWrite,
    {
        self.ask(|client| async move {
            // The client does not know every type that a column can have, also of those that are not inserted.
            let client = client.with_database(database).with_validation(false);
            let mut insert = client.insert::<R>(table).await?;
            if let Some(token) = token {
                insert = insert.with_setting("insert_deduplication_token", token);
                insert = insert.with_setting("deduplicate_blocks_in_dependent_materialized_views", "1");
            }
            for row in rows {
                insert.write(row).await?;
            }
            insert.end().await
        })
        .await
    }

    /// Asks a question. The same question asked at the same time runs once, and is not run again
    /// while its data is the same. Dropping the future cancels the statement.
    pub async fn rows<R>(&self, statement: Statement) -> Result<Arc<Rows<R>>, QueryError>
    where
        R: RowOwned + RowRead + Send + Sync + 'static,
    {
        metrics::counter!("chartwell_questions_total").increment(1);
        let Some(answers) = &self.inner.answers else {
            return Box::pin(self.run(statement)).await.map(Arc::new);
        };
        let guests = self.inner.engine.map_or(0, Engine::guests);
        let entry = answers.entry(format!("{}\n{guests}", statement.identity())).or_try_insert_with(async {
            // Every question waits in here: what it takes of memory is not to lie in each of its callers.
            let rows = Box::pin(self.run::<R>(statement)).await?;
            let bytes = u32::try_from(rows.rows.len() * size_of::<R>() * 2 + 2_048).unwrap_or(u32::MAX);
            Ok::<_, QueryError>(Answer { bytes, rows: Arc::new(rows) })
        });
        let entry = entry.await.map_err(|error| QueryError::clone(&error))?;
        if !entry.is_fresh() {
            metrics::counter!("chartwell_query_cache_hits_total").increment(1);
        }
        entry.into_value().rows.downcast().map_err(|_| QueryError::other("one statement was read as two types of rows"))
    }

    async fn run<R>(&self, statement: Statement) -> Result<Rows<R>, QueryError>
    where
        R: RowOwned + RowRead,
    {
        let span = traces::question(statement.template, statement.account.as_str(), &statement.query_id);
        let outcome = self.run_in_turn(statement).instrument(span.clone()).await;
        match &outcome {
            Ok(rows) => traces::note_answer(&span, rows.rows_read),
            Err(error) => traces::note_failure(&span, error.failure.name()),
        }
        outcome
    }

    async fn run_in_turn<R>(&self, statement: Statement) -> Result<Rows<R>, QueryError>
    where
        R: RowOwned + RowRead,
    {
        let asked = Instant::now();
        let admitted = self.inner.admission.admit(&statement.account).await?;
        traces::note_wait(asked.elapsed());
        metrics::histogram!("chartwell_query_wait_seconds").record(asked.elapsed().as_secs_f64());
        let limits = &self.inner.limits;
        let mut settings = vec![
            ("max_threads", admitted.threads.to_string()),
            ("priority", admitted.priority.number().to_string()),
            ("max_execution_time", limits.query_timeout_seconds.to_string()),
            ("max_memory_usage", limits.query_memory_bytes.to_string()),
            ("max_result_rows", MOST_RESULT_ROWS.to_string()),
            ("max_result_bytes", MOST_RESULT_BYTES.to_string()),
            ("result_overflow_mode", "throw".to_owned()),
            ("log_comment", statement.comment()),
            ("query_id", statement.query_id.clone()),
            // The answer is small: as a whole, every failure is a status, and it comes sooner.
            ("wait_end_of_query", "1".to_owned()),
        ];
        if admitted.priority == Priority::Second && self.inner.threads_may_yield {
            // It pauses at the next of its steps; until then it takes what those before it leave.
            settings.push(("os_threads_nice_value_query", LEAST.to_owned()));
        }
        let (asked, settings, is_embedded) = (&statement, &settings, self.inner.is_embedded);
        let read = self.ask(|client| async move {
            // The embedded engine ends what nobody waits for by itself.
            let running = (!is_embedded).then(|| Running::new(&client, &asked.query_id));
            // On the heap: what it takes of memory is not to lie in each of its callers.
            let outcome = Box::pin(read(&client, asked, settings)).await;
            if let Some(running) = running {
                running.ended();
            }
            outcome
        });
        let began = Instant::now();
        let outcome = self.answered(Box::pin(read)).await;
        statement.note(&outcome, began.elapsed(), Duration::from_millis(limits.slow_query_ms));
        outcome
    }
}

/// A change that replicas which are away have not made is made: they make it when they are back.
fn begun(done: Result<(), QueryError>) -> Result<(), QueryError> {
    match done {
        Err(error) if error.code() == Some(UNFINISHED) => {
            tracing::warn!(%error, "a change is still to be made by replicas that are away");
            Ok(())
        }
        done => done,
    }
}

async fn read<R>(
    client: &Client,
    asked: &Statement,
    settings: &[(&'static str, String)],
) -> Result<Rows<R>, clickhouse::error::Error>
where
    R: RowOwned + RowRead,
{
    let query = client.query_raw(asked.sql.as_str());
    let query = asked.values.iter().fold(query, |query, (name, value)| query.param(name, value));
    let query = settings.iter().fold(query, |query, (name, value)| query.with_setting(*name, value));
    let started = Instant::now();
    let mut cursor = query.fetch::<R>()?;
    let mut rows = Vec::new();
    while let Some(row) = cursor.next().await? {
        rows.push(row);
    }
    let summary = cursor.summary();
    let rows_read = summary.and_then(clickhouse::QuerySummary::read_rows).unwrap_or(0);
    let elapsed = summary.and_then(clickhouse::QuerySummary::elapsed_ns).map(Duration::from_nanos);
    let elapsed = elapsed.unwrap_or_else(|| started.elapsed());
    Ok(Rows { rows, query_id: asked.query_id.clone(), rows_read, elapsed })
}
