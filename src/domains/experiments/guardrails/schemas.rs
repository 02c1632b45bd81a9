//! The question for guardrails, and its answer.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::analysis::{Analysis, Correction, Handling, TestChoice};
use super::super::results::schemas::rows;
use super::super::schemas::{ConversionWindow, ExposureFilters, Plan, Sureness};
use crate::answer::{Meta, Shape, csv_of};
use crate::query::{DateRange, Filters, question};

question! {
    /// Did a variant do harm?
    pub struct GuardrailsQuestion {
        date_range: DateRange,
        conversion_window: ConversionWindow,
        plan: Plan,
        multiple_exposures: Handling,
        test: TestChoice,
        correction: Correction,
        sureness: Sureness,
        filters: Filters<ExposureFilters>,
    }
}

/// Whether a variant did harm.
///
/// Metrics are `error_rate` (failed runs ÷ runs), `slow_runs` (runs that took longer than 95 % of the baseline's ÷ runs
/// whose end is known), `tokens` and `cost_usd` (÷ conversations); of each, more is worse.
#[derive(Debug, Serialize, ToSchema)]
pub struct Guardrails {
    #[serde(flatten)]
    pub analysis: Analysis,
    /// How long runs of each variant took.
    pub latency: Vec<LatencyOfVariant>,
    pub meta: Meta,
}

/// How long runs of a variant took.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LatencyOfVariant {
    #[schema(example = "B")]
    pub variant: String,
    /// Whose end is known.
    #[schema(example = 4210)]
    pub runs: u64,
    /// Null without runs.
    #[schema(example = 2350.5)]
    pub p95_ms: Option<f64>,
    /// Of the order statistics about it, leaving alpha out, as if each run were of another unit.
    pub interval: Option<[f64; 2]>,
}

impl Shape for Guardrails {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        csv_of(&rows(&self.analysis))
    }
}
