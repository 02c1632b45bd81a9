//! The question of a gate, and its answer.

use chrono::Duration;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;

use super::super::repository::INTERACTIONS;
use crate::answer::{Meta, Shape, csv_of};
use crate::json::word;
use crate::query::dataset::Dataset;
use crate::query::filters::FilterSet;
use crate::query::{
    At, Filters, FromParameters, Parameters, Problem, number, optional_number, question, take_length, take_number,
    take_optional, take_whole_number, text, vocabulary, whole_number,
};

question! {
    /// May a variant go on?
    pub struct GateQuestion {
        at: At,
        limits: Limits,
        judged: JudgedVariants,
        filters: Filters<InteractionFilters>,
    }
}

/// Filters of interactions.
#[derive(Debug, Clone, Copy)]
pub struct InteractionFilters;

impl FilterSet for InteractionFilters {
    const DATASET: &'static Dataset = &INTERACTIONS;
    const LISTS: &'static [(&'static str, &'static str)] = &[("profile_codes", "profile_code")];
}

/// What must not be exceeded; at least one of both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// 0 to 1.
    pub error_rate: Option<f64>,
    pub latency_p95_ms: Option<f64>,
}

/// Which interactions are looked at, and how surely.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedVariants {
    /// Only this one; else all but the baseline.
    pub variant: Option<String>,
    pub baseline: Option<String>,
    /// How far back.
    pub window: Duration,
    pub fewest: u64,
    pub alpha: f64,
}

const RATE: &str = "max_error_rate";
const LATENCY: &str = "max_latency_p95_ms";
const WINDOW: Duration = Duration::hours(24);
const LONGEST_WINDOW: Duration = Duration::days(90);
const FEWEST: (u64, u64) = (1, 1_000_000_000);
const ALPHAS: [f64; 2] = [0.000_001, 0.5];

impl FromParameters for Limits {
    fn describe() -> Vec<Parameter> {
        vec![
            optional_number(RATE, "The largest error rate that is acceptable, 0 to 1: failed ÷ interactions. At least one limit must be given.")
                .example(Some(0.05.into()))
                .build(),
            optional_number(LATENCY, "The longest p95 of latencies that is acceptable, in milliseconds.")
                .example(Some(2_000.into()))
                .build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let [rate, latency] = [RATE, LATENCY].map(|name| take_optional(parameters, name));
        let (rate, latency) = (rate?, latency?);
        match (rate, latency) {
            (None, None) => parameters.refuse(Problem::general(format!("give `{RATE}`, `{LATENCY}` or both"))),
            (Some(rate), _) if !(0.0..=1.0).contains(&rate) => {
                parameters.refuse(Problem::parameter(RATE, format!("`{rate}` is not from 0 to 1")))
            }
            (_, Some(latency)) if latency <= 0.0 => {
                parameters.refuse(Problem::parameter(LATENCY, format!("`{latency}` is not above 0")))
            }
            _ => Some(Self { error_rate: rate, latency_p95_ms: latency }),
        }
    }
}

impl FromParameters for JudgedVariants {
    fn describe() -> Vec<Parameter> {
        vec![
            text("variant", "The variant that is judged. Default: all but the baseline, the worst of which decides.").build(),
            text("baseline", "The variant that is not judged. Default: the one that is called `control`, `baseline` or `A`, in any case; else the first by name.").build(),
            text("window", "How far back interactions count: minutes, hours or days, as in `30m`, `12h` or `14d`, at most 90 days; begun quarters of an hour count as a whole. Default `24h`.")
                .example(Some("1h".into()))
                .build(),
            whole_number("min_interactions", "Of fewer interactions of a variant, nothing passes.", FEWEST, 100).build(),
            number("alpha", "How often a limit may falsely be called kept or exceeded at one look, of both sides together. Who looks often takes a smaller one.", ALPHAS, 0.01).build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let [variant, baseline] =
            ["variant", "baseline"].map(|name| parameters.one(name).filter(|name| !name.is_empty()));
        let window = take_length(parameters, "window", LONGEST_WINDOW);
        let fewest = take_whole_number(parameters, "min_interactions", FEWEST, 100);
        let alpha = take_number(parameters, "alpha", ALPHAS, 0.01);
        Some(Self { variant, baseline, window: window?.unwrap_or(WINDOW), fewest: fewest?, alpha: alpha? })
    }
}

/// Whether variants may go on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GateAnswer {
    /// That of the worst variant.
    pub decision: GateDecision,
    /// Of the variants with this decision.
    pub reasons: Vec<GateReason>,
    /// By name.
    pub variants: Vec<GateVariant>,
    pub meta: Meta,
}

/// A variant, and whether it may go on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GateVariant {
    #[schema(example = "B")]
    pub variant: String,
    pub decision: GateDecision,
    pub reasons: Vec<GateReason>,
    /// Events `interaction` and `error`.
    #[schema(example = 1200)]
    pub interactions: u64,
    pub error_rate: GateRate,
    pub latency: GateLatency,
}

/// Failed ÷ interactions.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GateRate {
    #[schema(example = 12)]
    pub numerator: u64,
    #[schema(example = 1200)]
    pub denominator: u64,
    /// Null without interactions.
    #[schema(example = 0.01)]
    pub value: Option<f64>,
    /// Wilson's, leaving alpha out.
    pub interval: Option<[f64; 2]>,
}

/// Of interactions that tell their latency.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GateLatency {
    #[schema(example = 1188)]
    pub samples: u64,
    /// Within 1 %; null without samples.
    #[schema(example = 840.5)]
    pub p95_ms: Option<f64>,
    /// Of the order statistics about it, leaving alpha out.
    pub interval: Option<[f64; 2]>,
}

vocabulary! {
    /// Whether to go on.
    #[derive(PartialOrd, Ord)]
    pub enum GateDecision as "gate_decision" {
        /// Each limit is kept for certain.
        Pass = "pass",
        /// It cannot be told yet.
        Hold = "hold",
        /// A limit is exceeded for certain.
        RollBack = "roll_back",
    }
}
word!(GateDecision);

vocabulary! {
    /// Why.
    #[derive(PartialOrd, Ord)]
    pub enum GateReason as "gate_reason" {
        /// Nobody had an interaction with it in the window.
        NoData = "no_data",
        TooFewInteractions = "too_few_interactions",
        ErrorRateExceeded = "error_rate_exceeded",
        /// The limit lies within the interval.
        ErrorRateUncertain = "error_rate_uncertain",
        ErrorRateKept = "error_rate_kept",
        LatencyExceeded = "latency_exceeded",
        /// The limit lies within the interval.
        LatencyUncertain = "latency_uncertain",
        /// No interaction tells its latency.
        LatencyUnknown = "latency_unknown",
        LatencyKept = "latency_kept",
    }
}
word!(GateReason);

impl Shape for GateAnswer {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        csv_of(&self.variants.iter().map(GateRow::of).collect::<Vec<_>>())
    }
}

/// A variant, as a line of CSV.
#[derive(Serialize)]
struct GateRow<'a> {
    variant: &'a str,
    decision: GateDecision,
    interactions: u64,
    failed: u64,
    error_rate: Option<f64>,
    error_rate_interval: Option<[f64; 2]>,
    latency_samples: u64,
    latency_p95_ms: Option<f64>,
    latency_p95_interval: Option<[f64; 2]>,
}

impl<'a> GateRow<'a> {
    fn of(of: &'a GateVariant) -> Self {
        Self {
            variant: &of.variant,
            decision: of.decision,
            interactions: of.interactions,
            failed: of.error_rate.numerator,
            error_rate: of.error_rate.value,
            error_rate_interval: of.error_rate.interval,
            latency_samples: of.latency.samples,
            latency_p95_ms: of.latency.p95_ms,
            latency_p95_interval: of.latency.interval,
        }
    }
}
