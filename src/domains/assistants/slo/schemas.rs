//! The question for service levels, and what it is answered with.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::schemas::SpanFilters;
use crate::answer::Figure;
use crate::query::{At, Filters, Pagination, question};

question! {
    /// What do assistants reach of their objectives?
    pub struct SloQuestion {
        at: At,
        filters: Filters<SpanFilters>,
        pagination: Pagination,
    }
}

/// How one assistant stands with one of its objectives, over the 30 days that are looked back on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ServiceLevel {
    /// Null for runs that name no assistant.
    #[schema(example = "triage")]
    pub assistant_code: Option<String>,
    /// `availability`, `latency` or `cost_per_run`
    #[schema(example = "availability")]
    pub objective: &'static str,
    /// A share of runs, 0 to 1; or US dollars, as a text.
    #[schema(example = 0.99)]
    pub target: Figure,
    /// Up to how many milliseconds a run is fast; for `latency`.
    #[schema(example = 10000.0)]
    pub threshold_ms: Option<f64>,
    pub state: State,
    /// Good runs ÷ runs; or what a run costs. Null without runs.
    #[schema(example = 0.9931)]
    pub value: Option<Figure>,
    /// Good runs; or what all runs cost.
    #[schema(example = 9931)]
    pub numerator: Figure,
    /// Runs; for `latency`, those that have ended.
    #[schema(example = 10000)]
    pub denominator: u64,
    /// Null without runs.
    pub error_budget: Option<ErrorBudget>,
    /// How fast the budget is used up, in the windows that end at the instant looked back from.
    pub burn_rates: Vec<BurnRate>,
    pub rules: Vec<Rule>,
}

/// How a service level stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Somebody has to look now: a rule of severity `page` fires.
    Page,
    /// Somebody has to look soon: a rule of severity `ticket` fires.
    Ticket,
    Ok,
    /// There were no runs in the whole period.
    NoData,
}

/// What may be missed in the period, and what was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct ErrorBudget {
    /// Bad runs that the target allows; or what the runs may cost.
    #[schema(example = 100.0)]
    pub allowed: Figure,
    /// Bad runs; or what the runs cost.
    #[schema(example = 69)]
    pub spent: Figure,
    /// The part of the budget that is left, 1 to 0; below 0 when it is overspent.
    #[schema(example = 0.31)]
    pub remaining: f64,
}

/// How fast the budget is used up in one window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct BurnRate {
    #[schema(example = "1h")]
    pub window: &'static str,
    /// Bad runs; or what the runs cost.
    #[schema(example = 2)]
    pub numerator: Figure,
    /// Runs; for `latency`, those that have ended.
    #[schema(example = 120)]
    pub denominator: u64,
    /// 1 uses up the budget of a period in exactly a period. Null without runs in the window.
    #[schema(example = 1.67)]
    pub burn_rate: Option<f64>,
}

/// A rule that fires while the budget burns too fast in a long window, and in a short one still.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Rule {
    pub severity: Severity,
    #[schema(example = "1h")]
    pub long_window: &'static str,
    #[schema(example = "5m")]
    pub short_window: &'static str,
    /// The burn rate from which on it fires.
    #[schema(example = 14.4)]
    pub factor: f64,
    /// Null when one of its windows has no runs.
    pub is_firing: Option<bool>,
}

/// How soon somebody has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Page,
    Ticket,
}
