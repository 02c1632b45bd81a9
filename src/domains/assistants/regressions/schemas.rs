//! The question for regressions, and what it is answered with.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;

use super::super::schemas::SpanFilters;
use crate::answer::{Meta, Shape, csv_of};
use crate::query::{
    DateRange, Filters, FromParameters, Parameters, number, parameter, question, required_text, take_number,
    take_required, vocabulary,
};

vocabulary! {
    /// What baseline and candidate are.
    pub enum Compared as "dimension" {
        /// Versions of assistants; runs are compared.
        AssistantVersion = "assistant_version",
        /// Models; calls are compared.
        Model = "model",
    }
}

parameter!(
    Compared,
    Compared::AssistantVersion,
    "What baseline and candidate are: versions of assistants, whose runs are compared, or models, whose calls are."
);

question! {
    /// Is the candidate worse than the baseline?
    pub struct RegressionsQuestion {
        dimension: Compared,
        arms: Arms,
        date_range: DateRange,
        filters: Filters<SpanFilters>,
        certainty: Certainty,
    }
}

/// What is compared with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arms {
    pub baseline: String,
    pub candidate: String,
}

impl FromParameters for Arms {
    fn describe() -> Vec<Parameter> {
        vec![
            required_text("baseline", "The version, or model, that is known.").example(Some("1.4.0".into())).build(),
            required_text("candidate", "The one that may be worse.").example(Some("1.5.0".into())).build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let (baseline, candidate) = (take_required(parameters, "baseline"), take_required(parameters, "candidate"));
        let (baseline, candidate) = (baseline?, candidate?);
        if baseline == candidate {
            return parameters.refuse(crate::query::Problem::parameter("candidate", "is the same as `baseline`"));
        }
        Some(Self { baseline, candidate })
    }
}

/// How sure a verdict is, and from which difference on it matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certainty {
    pub alpha: f64,
    pub minimum_effect: f64,
}

const ALPHA: (&str, [f64; 2], f64) = ("alpha", [0.000_1, 0.5], 0.05);
const MINIMUM_EFFECT: (&str, [f64; 2], f64) = ("minimum_effect", [0.0, 10.0], 0.05);

impl FromParameters for Certainty {
    fn describe() -> Vec<Parameter> {
        let of_alpha = "A difference counts when its adjusted p-value is below this.";
        let of_effect =
            "A difference counts when it is at least this part of the baseline's value, however certain it is.";
        vec![
            number(ALPHA.0, of_alpha, ALPHA.1, ALPHA.2).build(),
            number(MINIMUM_EFFECT.0, of_effect, MINIMUM_EFFECT.1, MINIMUM_EFFECT.2).build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let alpha = take_number(parameters, ALPHA.0, ALPHA.1, ALPHA.2);
        let minimum_effect = take_number(parameters, MINIMUM_EFFECT.0, MINIMUM_EFFECT.1, MINIMUM_EFFECT.2);
        Some(Self { alpha: alpha?, minimum_effect: minimum_effect? })
    }
}

/// A candidate beside a baseline.
#[derive(Debug, Serialize, ToSchema)]
pub struct Regressions {
    #[schema(example = "assistant_version")]
    pub dimension: &'static str,
    #[schema(example = "1.4.0")]
    pub baseline: String,
    #[schema(example = "1.5.0")]
    pub candidate: String,
    /// What is compared: `run` or `call`.
    #[schema(example = "run")]
    pub unit: &'static str,
    pub verdict: Verdict,
    /// Every metric, of all assistants together and of each.
    pub cells: Vec<Cell>,
    /// Errors that are more frequent than they were, the largest rise first.
    pub errors: Vec<RisenError>,
    /// How differently both were used.
    pub mix: Vec<Mix>,
    pub meta: Meta,
}

/// What all of it comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Verdict {
    pub code: VerdictCode,
    pub reasons: Vec<VerdictReason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictCode {
    /// Something is worse for certain.
    Regressed,
    /// Something is better for certain, and nothing is worse.
    Improved,
    NoDifference,
    /// One of both did nothing in the range.
    NoData,
}

/// Why the verdict is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictReason {
    BaselineWithoutData,
    CandidateWithoutData,
    ErrorRateUp,
    LatencyP50Up,
    LatencyP95Up,
    FirstTokenP95Up,
    CostUp,
    TokensUp,
    NewErrorTypes,
    ErrorRateDown,
    LatencyP50Down,
    LatencyP95Down,
    FirstTokenP95Down,
    CostDown,
    TokensDown,
    NoSignificantDifference,
    /// Both were used so differently that a difference may come from that.
    MixShifted,
    /// Some metrics have too few values for their test.
    SmallSample,
}

/// One metric of one assistant, or of all together.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Cell {
    /// Whether it is of all assistants together.
    pub is_all: bool,
    /// Null for all together, and for spans that name no assistant.
    #[schema(example = "triage")]
    pub assistant_code: Option<String>,
    pub metric: ComparedMetric,
    #[schema(example = "ratio")]
    pub unit: &'static str,
    pub baseline: Arm,
    pub candidate: Arm,
    /// Candidate − baseline, with its interval of 95 %.
    pub absolute: Option<MetricDifference>,
    /// The same, divided by the value of the baseline; null where that is 0.
    #[schema(example = 0.42)]
    pub relative: Option<f64>,
    /// `two_proportion_z`, `quantile_difference_z` or `welch_t`
    #[schema(example = "two_proportion_z")]
    pub test: &'static str,
    /// Two-sided; null where the test has too few values.
    #[schema(example = 0.0013)]
    pub p_value: Option<f64>,
    #[schema(example = -2.89)]
    pub p_log10: Option<f64>,
    /// For the number of cells, by Benjamini and Hochberg.
    #[schema(example = 0.0091)]
    pub p_value_adjusted: Option<f64>,
    pub verdict: CellVerdict,
    /// `small_sample` where the test is not to be trusted.
    pub notes: Vec<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComparedMetric {
    ErrorRate,
    LatencyP50,
    LatencyP95,
    /// Of calls; for models.
    FirstTokenP95,
    /// Of a run, with all calls of its trace; or of a call.
    Cost,
    Tokens,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CellVerdict {
    Worse,
    Better,
    Same,
    /// There are too few values.
    Unknown,
}

/// One side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Arm {
    /// The sample: runs or calls that have a value.
    #[schema(example = 1840)]
    pub units: u64,
    /// Of a rate: failed ones.
    #[schema(example = 23)]
    pub numerator: Option<u64>,
    #[schema(example = 0.0125)]
    pub value: Option<f64>,
    /// 95 %
    pub interval: Option<[f64; 2]>,
}

/// A difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct MetricDifference {
    #[schema(example = 0.021)]
    pub value: f64,
    /// 95 %
    pub interval: [f64; 2],
}

/// An error that is more frequent than it was.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RisenError {
    #[schema(example = "context_length_exceeded")]
    pub error_type: String,
    /// Whether the baseline never had it.
    pub is_new: bool,
    /// Traces that have it, of all traces of the baseline.
    pub baseline: Arm,
    pub candidate: Arm,
    pub p_value: Option<f64>,
    /// For the number of errors, by Benjamini and Hochberg.
    pub p_value_adjusted: Option<f64>,
}

/// How differently both are spread over the values of something.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Mix {
    /// `assistant`, `environment`, `profile_code` or `hour_of_day` (UTC)
    #[schema(example = "environment")]
    pub dimension: String,
    /// The part of one that would have to be elsewhere, 0 to 1.
    #[schema(example = 0.08)]
    pub distance: f64,
    #[schema(example = 0.21)]
    pub p_value: f64,
    /// Whether it is so different that it may explain differences: more than a tenth, with p below 0.001.
    pub is_shifted: bool,
}

impl Shape for Regressions {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        csv_of(&self.cells)
    }
}
