//! Answers about the asker and the process.

use std::collections::BTreeMap;

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
