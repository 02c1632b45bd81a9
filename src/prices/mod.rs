//! Upkeep of costs: which models have no price, and what calls cost by the prices of today.
//!
//! Costs that were computed here can be computed again; those that an emitter told stay. The statements are in
//! `sql_templates/maintenance/`.

mod recompute;
mod runs;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use clickhouse::Row;
use minijinja::value::Value;
use serde::Deserialize;

use crate::answer::Money;
use crate::clickhouse::{ClickHouse, QueryError, Sql, template};
use crate::ingest::{PriceBook, is_cost_told_sql};
use crate::migrations::Target;

pub use recompute::{Progress, Recompute, RecomputeError, finish_broken_off};

/// The time that it is about, `[from, to)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// `models_without_price.sql`
#[derive(Debug, Clone, Row, Deserialize)]
pub struct UnpricedModel {
    pub provider: String,
    pub model: String,
    pub calls: u64,
    /// Those for which there is a price by now.
    pub calls_with_price: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub first_seen: String,
    pub last_seen: String,
}

/// `cost_changes.sql`
#[derive(Debug, Clone, Row, Deserialize)]
pub struct CostChange {
    /// `YYYYMM`
    pub month: u32,
    pub provider: String,
    pub model: String,
    pub calls: u64,
    pub before_usd: Money,
    pub after_usd: Money,
}

/// The models whose calls have no cost; those that were called most come first.
pub async fn models_without_price(
    clickhouse: &ClickHouse,
    target: &Target,
    window: Window,
    prices: &PriceBook,
) -> Result<Vec<UnpricedModel>, QueryError> {
    fetch(clickhouse, &render("models_without_price.sql", target, window, prices, Vec::new())?).await
}

/// What the price book would change.
pub async fn cost_changes(
    clickhouse: &ClickHouse,
    target: &Target,
    window: Window,
    prices: &PriceBook,
) -> Result<Vec<CostChange>, QueryError> {
    fetch(clickhouse, &render("cost_changes.sql", target, window, prices, Vec::new())?).await
}

/// How long a statement may be, and how much it may say: it names every price, more than once.
const OF_LONG_STATEMENTS: [(&str, &str); 4] = [
    ("max_query_size", "67108864"),
    ("max_ast_elements", "10000000"),
    ("max_expanded_ast_elements", "10000000"),
    ("max_execution_time", "0"),
];

/// The rows of a long statement, without the bounds of a question.
async fn fetch<R: clickhouse::RowOwned + clickhouse::RowRead>(
    clickhouse: &ClickHouse,
    sql: &Sql,
) -> Result<Vec<R>, QueryError> {
    clickhouse.fetch_with(sql.as_str(), &OF_LONG_STATEMENTS).await
}

/// Runs a long statement.
async fn execute(
    clickhouse: &ClickHouse,
    sql: &Sql,
    settings: &[(&'static str, &'static str)],
) -> Result<(), QueryError> {
    clickhouse.execute_with(sql.as_str(), &[&OF_LONG_STATEMENTS, settings].concat()).await
}

fn render(
    name: &'static str,
    target: &Target,
    window: Window,
    prices: &PriceBook,
    variables: Vec<(&'static str, Value)>,
) -> Result<Sql, QueryError> {
    let moment = |moment: DateTime<Utc>| Sql::text(&moment.format("%Y-%m-%d %H:%M:%S%.6f").to_string());
    let database = target.account.analytics_database();
    let local = target.clone();
    let context: Vec<(&str, Value)> = vec![
        ("from", moment(window.from).into()),
        ("to", moment(window.to).into()),
        ("is_told", is_cost_told_sql().into()),
        ("cost", prices.cost_sql().into()),
        ("on_cluster", target.on_cluster().into()),
        ("table", Value::from_function(move |name: String| Value::from(Sql::dotted(&[&database, &name])))),
        ("local", Value::from_function(move |name: String| Value::from(local.table(&name)))),
    ];
    let context: BTreeMap<&str, Value> = context.into_iter().chain(variables).collect();
    let path = format!("maintenance/{name}");
    template::render(&path, context.into())
        .map_err(|error| QueryError::other(format!("{path} cannot be rendered: {error:#}")))
}
