//! Answers about the asker and the process.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// Who asks, as the token says and as it is understood here.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    #[schema(example = "studio")]
    pub subject: String,
    #[schema(example = "demo")]
    pub account: String,
    /// The scopes that are in force; unknown ones in the token are not.
    #[schema(example = json!(["recommendations:read"]))]
    pub scopes: Vec<&'static str>,
    /// Fields, and the only values of them that may be read.
    #[schema(example = json!({"profile_code": ["support"]}))]
    pub grants: BTreeMap<String, Vec<String>>,
    pub limits: MyLimits,
}

/// The limits of the asker.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyLimits {
    /// Questions a minute; null = no limit.
    #[schema(example = 1200)]
    pub requests_per_minute: Option<u32>,
}

/// The account of the asker.
#[derive(Debug, Serialize, ToSchema)]
pub struct CurrentAccount {
    #[schema(example = "demo")]
    pub account: String,
    /// Days that raw events and spans are kept; null = for ever.
    #[schema(example = 90)]
    pub retention_days: Option<u32>,
    /// Where names come from.
    pub operational_database: OperationalDatabaseState,
    pub limits: LimitsOfAccount,
}

/// What the account may use; null = no limit.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsOfAccount {
    /// Questions a minute, of all subjects together.
    #[schema(example = 6000)]
    pub queries_per_minute: Option<u32>,
    /// Rows that are taken in a minute, by each instance.
    #[schema(example = 600_000)]
    pub rows_per_minute: Option<u32>,
    /// Rows that are taken in on a day of UTC.
    #[schema(example = 50_000_000)]
    pub rows_per_day: Option<u64>,
    /// Rows that have been taken in today; null where that is not limited.
    #[schema(example = 1_250_000)]
    pub rows_today: Option<u64>,
}

/// How it is with the operational database.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationalDatabaseState {
    /// None is configured: a local table stands in.
    StandIn,
    Answers,
    /// Names are those that were known last, or missing.
    DoesNotAnswer,
}

/// The process is up.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    #[schema(example = "ok")]
    pub status: &'static str,
    #[schema(example = "0.1.0")]
    pub version: &'static str,
}

/// Whether every account can be asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    #[schema(example = "ready")]
    pub status: &'static str,
    #[serde(skip)]
    pub ready: bool,
    pub accounts: Vec<AccountReadiness>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AccountReadiness {
    pub account: String,
    pub ready: bool,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "engine_unavailable", nullable = false)]
    pub reason: Option<&'static str>,
}

/// How fresh the data of an account is, and what became of what was sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct FreshnessReport {
    /// Since when this process counts.
    #[schema(example = "2026-02-04T08:00:00Z")]
    pub since: DateTime<Utc>,
    pub tables: Vec<TableFreshness>,
    /// Personal data that was replaced before it was stored, by kind.
    pub anonymised: Vec<KindCount>,
    pub spool: SpoolState,
    /// Which attributes of spans filled which columns.
    pub coverage: Vec<AttributeCount>,
    /// Models that the price book has no price for: their spans have no cost.
    pub models_without_price: Vec<ModelCount>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TableFreshness {
    #[schema(example = "events")]
    pub table: &'static str,
    /// When the newest row that can be read was accepted; null while there is none.
    pub newest_row: Option<DateTime<Utc>>,
    /// From acceptance until a row could be read, of the last rows; null while there are none.
    #[schema(example = 41.5)]
    pub lag_ms_p50: Option<f64>,
    #[schema(example = 312.0)]
    pub lag_ms_p95: Option<f64>,
    #[schema(example = 120_000)]
    pub accepted: u64,
    /// Rows whose id was accepted before.
    #[schema(example = 12)]
    pub duplicates: u64,
    pub rejected: Vec<CodeCount>,
    /// Rows that the engine refuses for good; `chartwell dead-letters` lists them.
    #[schema(example = 0)]
    pub dead_letters: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CodeCount {
    #[schema(example = "too_old")]
    pub code: &'static str,
    pub count: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct KindCount {
    #[schema(example = "email")]
    pub kind: &'static str,
    pub count: u64,
}

/// The rows of all accounts that were accepted and are not inserted yet.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpoolState {
    #[schema(example = 0)]
    pub rows: u64,
    /// Bytes on disk; what was inserted is removed by and by.
    pub bytes: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AttributeCount {
    #[schema(example = "input_tokens")]
    pub column: &'static str,
    #[schema(example = "gen_ai.usage.input_tokens")]
    pub attribute: &'static str,
    pub spans: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ModelCount {
    pub provider: String,
    pub model: String,
    pub spans: u64,
}
