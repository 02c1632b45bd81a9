//! What is answered about alerts.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::rules::AlertSeverity;
use super::state::AlertState;

/// The rules of an account, and how they stand.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alerts {
    pub items: Vec<Alert>,
    pub deliveries: Deliveries,
}

/// A rule, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alert {
    #[schema(example = "error-rate")]
    pub rule: String,
    pub severity: AlertSeverity,
    pub state: AlertState,
    /// Since when it stands so; null before it was evaluated first.
    pub since: Option<DateTime<Utc>>,
    pub evaluated_at: Option<DateTime<Utc>>,
    #[schema(example = "assistants.error_rate")]
    pub metric: String,
    /// Parameters of the question.
    #[schema(example = "environment=production")]
    pub filters: String,
    /// `5m`, `day`, or `month` so far.
    #[schema(example = "5m")]
    pub window: String,
    /// What was found last; with `compared_with` the change, 0.5 for half more. Null where there is nothing to judge.
    #[schema(example = 0.031)]
    pub value: Option<f64>,
    #[schema(example = 0.05)]
    pub threshold: f64,
    /// `above` or `below`: on which side it counts.
    #[schema(example = "above")]
    pub side: &'static str,
    #[schema(example = 0.04)]
    pub recovers_at: f64,
    /// How long it has to last.
    #[schema(example = 300)]
    pub for_seconds: i64,
    /// `7d`: the mean of the seven days before at this time; `4w`: of the same weekday of four weeks before.
    pub compared_with: Option<String>,
    /// The channel that is told.
    pub channel: Option<String>,
    /// Whether nobody is told at the moment.
    pub is_silenced: bool,
    #[schema(example = "Look at the newest version first.")]
    pub summary: String,
}

/// Messages about alerts.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Deliveries {
    /// That were not delivered yet.
    pub waiting: u64,
    /// That nobody took for a day.
    pub dead: u64,
    /// Why the last one was not delivered.
    pub reason: Option<String>,
}
