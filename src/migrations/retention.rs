//! Retention: the tables keep raw rows for as long as the settings say, and never silently shorter.

use super::render::Target;
use crate::clickhouse::{ClickHouse, QueryError, Sql};

/// The tables of raw rows, and the column that their age is counted from.
const RAW_TABLES: [(&str, &str); 4] = [
    ("events", "time_utc"),
    ("assistants_tracing_spans", "start_time"),
    ("assistant_latencies", "time"),
    ("voice_facts", "time"),
];

#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    #[error(
        "CHARTWELL_RETENTION_DAYS is {wanted}, but `{table}` has kept rows {kept} until now; a shorter time deletes \
         rows: run `chartwell migrate --shorten-retention` to do that, or set it back"
    )]
    Shorter { table: String, wanted: String, kept: String },
    #[error("the retention of the tables cannot be read or set: {0}")]
    Query(#[from] QueryError),
}

/// Sets the time that raw rows are kept; refuses to shorten it unless that is wanted.
pub(super) async fn align(clickhouse: &ClickHouse, target: &Target, may_shorten: bool) -> Result<(), RetentionError> {
    for (name, column) in outdated(clickhouse, target, may_shorten).await? {
        let table = Sql::words(&[target.table(name), target.on_cluster()]);
        let statement = match wanted_days(target) {
            Some(days) => format!("ALTER TABLE {table} MODIFY {}", Sql::ttl(column, days)),
            None => format!("ALTER TABLE {table} REMOVE TTL"),
        };
        clickhouse.execute(&statement).await?;
        tracing::info!(account = %target.account, table = name, "raw rows are now kept {}", told(wanted_days(target)));
    }
    Ok(())
}

/// The tables that keep rows for another time than is wanted, with the column of their age; refuses to shorten it unless
/// that is wanted.
pub(super) async fn outdated(
    clickhouse: &ClickHouse,
    target: &Target,
    may_shorten: bool,
) -> Result<Vec<(&'static str, &'static str)>, RetentionError> {
    let mut outdated = Vec::new();
    let wanted = wanted_days(target);
    for (name, column) in RAW_TABLES {
        let Some(kept) = kept_days(clickhouse, target, name).await? else { continue };
        if is_shorter(wanted, kept) && !may_shorten {
            return Err(shorter(name, wanted, kept));
        }
        if kept != wanted {
            outdated.push((name, column));
        }
    }
    Ok(outdated)
}

/// Refuses to keep rows for fewer days than tables do whose definitions are known, where they are.
pub fn refuse_shorter(days: u32, definition: impl Fn(&str) -> Option<String>) -> Result<(), RetentionError> {
    let wanted = (days > 0).then_some(days);
    for (name, _) in RAW_TABLES {
        let Some(definition) = definition(name) else { continue };
        let ttl =
            definition.rsplit_once("TTL ").and_then(|(_, ttl)| ttl.split_once("toIntervalDay(")?.1.split_once(')'));
        let kept = ttl.and_then(|(days, _)| days.parse().ok());
        if is_shorter(wanted, kept) {
            return Err(shorter(name, wanted, kept));
        }
    }
    Ok(())
}

fn is_shorter(wanted: Option<u32>, kept: Option<u32>) -> bool {
    wanted.is_some_and(|wanted| kept.is_none_or(|kept| wanted < kept))
}

fn shorter(table: &str, wanted: Option<u32>, kept: Option<u32>) -> RetentionError {
    RetentionError::Shorter { table: table.to_owned(), wanted: told(wanted), kept: told(kept) }
}

fn wanted_days(target: &Target) -> Option<u32> {
    (target.retention_days > 0).then_some(target.retention_days)
}

/// The days in the table's TTL, read back from its definition; the outer `None` when there is no such table.
async fn kept_days(clickhouse: &ClickHouse, target: &Target, name: &str) -> Result<Option<Option<u32>>, QueryError> {
    let sql = format!(
        "SELECT extract(create_table_query, 'TTL .*toIntervalDay\\\\((\\\\d+)\\\\)') FROM system.tables WHERE {}",
        target.is_table(name)
    );
    let days: Vec<String> = clickhouse.fetch(&sql).await?;
    Ok(days.first().map(|days| days.parse().ok()))
}

fn told(days: Option<u32>) -> String {
    days.map_or("for ever".to_owned(), |days| format!("for {days} days"))
}
