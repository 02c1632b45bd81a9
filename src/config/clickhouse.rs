use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use validator::Validate;

use super::AdminDb;
use super::values::{Quorum, Secret, ServerUrl, list, parsed};

/// Where ClickHouse is: one server, or several of a cluster, or, without a URL, the engine in this process.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
pub struct ClickHouseConfig {
    #[serde(deserialize_with = "list")]
    pub clickhouse_url: Vec<ServerUrl>,
    pub clickhouse_user: String,
    pub clickhouse_password: Secret,
    pub clickhouse_cluster: Option<String>,
    /// Replicas of a cluster that must have an insert before it counts.
    pub clickhouse_insert_quorum: Quorum,
    /// Seconds that the start waits for servers.
    #[serde(deserialize_with = "parsed")]
    pub clickhouse_wait_seconds: u64,
    /// Path of the engine library; found by itself when unset.
    pub engine_library: Option<PathBuf>,
    /// Bound on the embedded engine's memory; 0 = 60 % of the machine's.
    #[serde(deserialize_with = "parsed")]
    pub engine_memory_bytes: u64,
    /// Folder of backups of the embedded engine; `backups` in the data folder when unset.
    pub backup_dir: Option<PathBuf>,
    /// The operational database; without one, local tables stand in.
    pub admin_db_url: Option<AdminDb>,
    /// Milliseconds that an answer waits for what it says.
    #[serde(deserialize_with = "parsed")]
    #[validate(range(min = 1, max = 10_000, message = "must be at least 1 and at most 10000"))]
    pub admin_db_timeout_ms: u64,
}

impl Default for ClickHouseConfig {
    fn default() -> Self {
        Self {
            clickhouse_url: Vec::new(),
            clickhouse_user: "default".to_owned(),
            clickhouse_password: Secret::default(),
            clickhouse_cluster: None,
            clickhouse_insert_quorum: Quorum::default(),
            clickhouse_wait_seconds: 60,
            engine_library: None,
            engine_memory_bytes: 0,
            backup_dir: None,
            admin_db_url: None,
            admin_db_timeout_ms: 500,
        }
    }
}

/// Bounds on questions.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
pub struct QueryConfig {
    /// Questions that run at once; 0 = one more than there are cores, or 16 for each server of ClickHouse.
    #[serde(deserialize_with = "parsed")]
    pub query_concurrency: usize,
    /// Questions that may wait for their turn; more are refused at once.
    #[serde(deserialize_with = "parsed")]
    pub query_queue: usize,
    /// Seconds that a question may wait.
    #[serde(deserialize_with = "parsed")]
    #[validate(range(min = 1, message = "must be at least 1"))]
    pub query_wait_seconds: u64,
    /// Seconds that a question may run.
    #[serde(deserialize_with = "parsed")]
    #[validate(range(min = 1, message = "must be at least 1"))]
    pub query_timeout_seconds: u64,
    /// Memory that a question may take.
    #[serde(deserialize_with = "parsed")]
    #[validate(range(min = 1_048_576, message = "must be at least 1048576, a mebibyte"))]
    pub query_memory_bytes: u64,
    /// Milliseconds from which on the log tells of a question; 0 = of none.
    #[serde(deserialize_with = "parsed")]
    pub slow_query_ms: u64,
    /// Whether an answer may be given again while no newer data came in.
    #[serde(deserialize_with = "parsed")]
    pub query_cache: bool,
}

impl Default for QueryConfig {
    fn default() -> Self {
        Self {
            query_concurrency: 0,
            query_queue: 256,
            query_wait_seconds: 10,
            query_timeout_seconds: 30,
            query_memory_bytes: 2 << 30,
            slow_query_ms: 1_000,
            query_cache: true,
        }
    }
}
