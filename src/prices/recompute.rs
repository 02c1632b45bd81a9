//! Costs anew: of the spans whose cost the price book says otherwise, in rows and in rollups, each once.
//!
//! Month by month: the spans are *noted*; by how much they change the rollups is inserted into the facts that these are
//! fed from, under a token of run and month; then the rows are *set*. After each step comes a row that says so. A run that was broken off goes on
//! where it was, with the prices that it began with, before anything else is recomputed: noting again notes more at
//! the most, inserting again under the same token changes nothing, setting again sets the same. The noted spans are
//! what both rollups and rows change by, whatever comes in meanwhile.
//!
//! The token is known for as long as the table keeps 10,000 of them. So with the embedded engine a run is finished at
//! the next start, before rows come in; on a server, by whatever starts next.

use std::sync::LazyLock;

use chrono::{TimeDelta, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::runs::{NO_MONTH, Run, Step};
use super::{Window, cost_changes, execute, fetch, render};
use crate::clickhouse::{ClickHouse, QueryError, Sql};
use crate::ingest::PriceBook;
use crate::migrations::Target;

/// Computes the costs of an account anew.
pub struct Recompute<'a> {
    pub clickhouse: &'a ClickHouse,
    pub target: &'a Target,
}

#[derive(Debug, thiserror::Error)]
pub enum RecomputeError {
    #[error("{}", .0.message)]
    Query(#[from] QueryError),
    #[error("the prices that a run began with cannot be read: {0}")]
    Prices(String),
}

/// What is told while it runs.
pub type Progress<'a> = &'a (dyn Fn(&str) + Sync);

/// A run that another process is at writes a step more often than this, unless a month is very large.
static QUIET: LazyLock<TimeDelta> = LazyLock::new(|| TimeDelta::minutes(10));
/// Rows of one insert: fewer than the engine makes two blocks of.
const ROWS_OF_INSERT: usize = 500_000;

/// `rollup_differences.sql`, and rows of `assistant_span_facts`.
#[derive(Debug, Clone, Row, Serialize, Deserialize)]
struct FactsDifference {
    /// Microseconds since 1970: the start of a quarter of an hour.
    time: i64,
    is_run: bool,
    is_call: bool,
    is_tool_call: bool,
    assistant_code: String,
    assistant_version: String,
    environment: String,
    profile_code: Option<String>,
    operation: String,
    provider: String,
    model: String,
    tool_name: String,
    event_type: String,
    status_code: String,
    error_type: String,
    user_id_hash: String,
    priced_calls: u64,
    cost_usd: i128,
}

/// Finishes runs that were broken off; on a server, only those that nobody seems to be at.
pub async fn finish_broken_off(clickhouse: &ClickHouse, target: &Target) -> Result<(), RecomputeError> {
    let recompute = Recompute { clickhouse, target };
    let quiet_since = Utc::now() - *QUIET;
    for run in Run::broken_off(clickhouse, target).await? {
        if clickhouse.is_embedded() || run.newest < quiet_since {
            tracing::info!(account = %target.account, "costs are recomputed where that was broken off");
            recompute.finish(run, &|_| {}).await?;
        }
    }
    Ok(())
}

impl Recompute<'_> {
    /// Finishes what was broken off, then recomputes; returns how many calls have another cost.
    pub async fn run(&self, window: Window, prices: &PriceBook, tell: Progress<'_>) -> Result<u64, RecomputeError> {
        for run in Run::broken_off(self.clickhouse, self.target).await? {
            tell("a run that was broken off goes on");
            self.finish(run, tell).await?;
        }
        let changes = cost_changes(self.clickhouse, self.target, window, prices).await?;
        if changes.is_empty() {
            return Ok(0);
        }
        let (id, prices) = (Uuid::now_v7().simple().to_string(), prices.text().to_owned());
        let mut run = Run { id, window, prices, done: Vec::new(), newest: Utc::now() };
        run.note(self.clickhouse, self.target, NO_MONTH, Step::Begun).await?;
        fail::fail_point!("prices-begun", |_| std::process::abort());
        self.finish(run, tell).await?;
        Ok(changes.iter().map(|change| change.calls).sum())
    }

    async fn finish(&self, mut run: Run, tell: Progress<'_>) -> Result<(), RecomputeError> {
        let prices = PriceBook::read(&run.prices).map_err(RecomputeError::Prices)?;
        let changes = cost_changes(self.clickhouse, self.target, run.window, &prices).await?;
        let mut months: Vec<u32> = changes.iter().map(|change| change.month).chain(run.months()).collect();
        months.sort_unstable();
        months.dedup();
        for month in months {
            let calls: u64 = changes.iter().filter(|change| change.month == month).map(|change| change.calls).sum();
            tell(&format!("{}-{:02}: {calls} calls", month / 100, month % 100));
            self.month(&mut run, month, &prices).await?;
        }
        self.forget(&run).await?;
        Ok(run.note(self.clickhouse, self.target, NO_MONTH, Step::Done).await?)
    }

    async fn month(&self, run: &mut Run, month: u32, prices: &PriceBook) -> Result<(), RecomputeError> {
        let (clickhouse, target) = (self.clickhouse, self.target);
        let statement = |name: &'static str, run: &Run| {
            let month = Sql::whole(month);
            let variables = vec![("run_id", Sql::text(&run.id).into()), ("month", month.into())];
            render(name, target, run.window, prices, variables)
        };
        if !run.has_done(month, Step::Noted) {
            execute(clickhouse, &statement("note_changes.sql", run)?, &[]).await?;
            fail::fail_point!("prices-noted", |_| std::process::abort());
            run.note(clickhouse, target, month, Step::Noted).await?;
        }
        if !run.has_done(month, Step::RolledUp) {
            self.synchronize().await?;
            let differences: Vec<FactsDifference> =
                fetch(clickhouse, &statement("rollup_differences.sql", run)?).await?;
            fail::fail_point!("prices-before-rollup", |_| std::process::abort());
            let database = target.account.analytics_database();
            for (number, rows) in differences.chunks(ROWS_OF_INSERT).enumerate() {
                let token = format!("prices-{}-{month}-{number}", run.id);
                clickhouse.insert_rows((&database, "assistant_span_facts"), rows, Some(&token)).await?;
            }
            fail::fail_point!("prices-after-rollup", |_| std::process::abort());
            run.note(clickhouse, target, month, Step::RolledUp).await?;
        }
        if !run.has_done(month, Step::Set) {
            self.synchronize().await?;
            // Wait for all copies; a subquery counts as what may differ between them.
            let settings = [("mutations_sync", "2"), ("allow_nondeterministic_mutations", "1")];
            execute(clickhouse, &statement("set_costs.sql", run)?, &settings).await?;
            fail::fail_point!("prices-after-set", |_| std::process::abort());
            run.note(clickhouse, target, month, Step::Set).await?;
        }
        Ok(())
    }

    /// Each step is asked of any server, and changes rows by what was noted: all have to know of both.
    async fn synchronize(&self) -> Result<(), QueryError> {
        let database = self.target.account.analytics_database();
        self.clickhouse.synchronize(&database, "_price_changes").await?;
        self.clickhouse.synchronize(&database, "assistants_tracing_spans").await
    }

    /// Drops what a run has noted.
    async fn forget(&self, run: &Run) -> Result<(), QueryError> {
        let table = self.clickhouse.altered(&self.target.account.analytics_database(), "_price_changes");
        self.clickhouse.execute(&format!("ALTER TABLE {table} DROP PARTITION {}", Sql::text(&run.id))).await
    }
}
