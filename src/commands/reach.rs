//! The start beside servers: they are reached, and are the cluster that the settings name.

use std::time::{Duration, Instant};

use super::Failure;
use crate::clickhouse::{ClickHouse, QueryError};
use crate::config::{ClickHouseConfig, ServerUrl};

const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// Characters of what an engine says about a failure.
const LONGEST_REASON: usize = 300;

// UNKNOWN_USER, WRONG_PASSWORD, AUTHENTICATION_FAILED: waiting does not help.
const NOT_LET_IN: [u32; 3] = [192, 193, 516];

/// Waits until a server answers, and refuses a cluster that it does not know.
pub async fn reach(clickhouse: &ClickHouse, config: &ClickHouseConfig) -> Result<(), Failure> {
    let names: Vec<&str> = config.clickhouse_url.iter().map(ServerUrl::authority).collect();
    let names = names.join(", ");
    let (started, patience) = (Instant::now(), Duration::from_secs(config.clickhouse_wait_seconds));
    loop {
        let error = match look(clickhouse, config).await {
            Ok(()) => return Ok(()),
            Err(Unusable::ForGood(reason)) => return Err(reason.into()),
            Err(Unusable::NotYet(error)) => error,
        };
        let reason = one_line(&error.message);
        if error.code().is_some_and(|code| NOT_LET_IN.contains(&code)) {
            return Err(format!(
                "ClickHouse at {names} does not let us in: {reason} (CHARTWELL_CLICKHOUSE_USER, CHARTWELL_CLICKHOUSE_PASSWORD)"
            )
            .into());
        }
        let left = patience.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(format!(
                "ClickHouse at {names} could not be used for {} s: {reason} (CHARTWELL_CLICKHOUSE_URL)",
                patience.as_secs()
            )
            .into());
        }
        tracing::warn!(reason, "ClickHouse at {names} cannot be used yet; it is tried for {} s more", left.as_secs());
        tokio::time::sleep(ASKED_AGAIN_AFTER.min(left)).await;
    }
}

/// Why the servers cannot be used.
enum Unusable {
    NotYet(QueryError),
    ForGood(String),
}

impl From<QueryError> for Unusable {
    fn from(error: QueryError) -> Self {
        Self::NotYet(error)
    }
}

async fn look(clickhouse: &ClickHouse, config: &ClickHouseConfig) -> Result<(), Unusable> {
    clickhouse.fetch::<u8>("SELECT toUInt8(1)").await?;
    let Some(cluster) = &config.clickhouse_cluster else { return Ok(()) };
    let known: Vec<String> = clickhouse.fetch("SELECT DISTINCT cluster FROM system.clusters ORDER BY cluster").await?;
    if !known.contains(cluster) {
        return Err(Unusable::ForGood(format!(
            "ClickHouse knows no cluster `{cluster}`, only {}: name one of them, or add it to `remote_servers` of every \
             server (CHARTWELL_CLICKHOUSE_CLUSTER)",
            quoted(&known)
        )));
    }
    let macros: Vec<String> = clickhouse.fetch("SELECT macro FROM system.macros").await?;
    let missing: Vec<String> = ["shard", "replica"]
        .into_iter()
        .filter(|name| !macros.iter().any(|known| known == name))
        .map(str::to_owned)
        .collect();
    if !missing.is_empty() {
        return Err(Unusable::ForGood(format!(
            "the servers of cluster `{cluster}` do not say where they stand: set {} in `macros` of every server",
            quoted(&missing)
        )));
    }
    // Fails while Keeper has no quorum.
    clickhouse.fetch::<u64>("SELECT count() FROM system.zookeeper WHERE path = '/'").await?;
    Ok(())
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What an engine said, on one line.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_REASON).collect()
}
