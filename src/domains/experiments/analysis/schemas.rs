//! What an analysis says.

use serde::Serialize;
use utoipa::ToSchema;

use super::input::{Handling, MetricType, Role};
use crate::answer::Number;
use crate::json::word;
use crate::query::vocabulary;

/// What an experiment comes to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Analysis {
    #[schema(example = "A")]
    pub baseline: String,
    pub metrics: Vec<MetricAnalysis>,
    pub health: ExperimentHealth,
    pub decision: Decision,
}

/// A metric of all variants.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MetricAnalysis {
    #[schema(example = "success")]
    pub id: String,
    pub role: Role,
    #[serde(rename = "type")]
    pub metric_type: MetricType,
    /// The baseline and holdouts by themselves, the others beside the baseline.
    pub variants: Vec<Variant>,
}

/// A variant, by itself or beside the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Variant {
    Compared(Box<Compared>),
    /// The baseline, or a holdout.
    Alone(Alone),
}

impl Variant {
    pub fn measured(&self) -> &Measured {
        match self {
            Self::Compared(compared) => &compared.measured,
            Self::Alone(alone) => &alone.measured,
        }
    }

    pub fn compared(&self) -> Option<&Compared> {
        match self {
            Self::Compared(compared) => Some(compared),
            Self::Alone(_) => None,
        }
    }

    pub fn notes(&self) -> &[Note] {
        match self {
            Self::Compared(compared) => &compared.notes,
            Self::Alone(alone) => &alone.notes,
        }
    }
}

/// What was measured of a variant.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Measured {
    #[schema(example = "B")]
    pub variant: String,
    #[schema(example = 1000)]
    pub units: u64,
    #[schema(example = 250)]
    pub numerator: Number,
    /// Units, or of a ratio the sum that is divided by.
    #[schema(example = 1000)]
    pub denominator: Number,
    /// Numerator ÷ denominator; null without units.
    #[schema(example = 0.25)]
    pub value: Option<f64>,
    /// Of the value, leaving alpha out: Wilson's of a conversion, by Student's distribution of means and ratios.
    pub interval: Option<[f64; 2]>,
}

/// A variant that is not compared.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Alone {
    #[serde(flatten)]
    pub measured: Measured,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub notes: Vec<Note>,
}

/// A variant beside the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Compared {
    #[serde(flatten)]
    pub measured: Measured,
    pub test: TestName,
    /// Two-sided, of the absolute difference, for one look; null where nothing can be tested.
    #[schema(example = 0.0074)]
    pub p_value: Option<f64>,
    /// Its decimal logarithm, which tells apart what is too small for a number.
    #[schema(example = -2.13)]
    pub p_log10: Option<f64>,
    #[schema(example = 0.0074)]
    pub p_value_adjusted: Option<f64>,
    /// Variant − baseline: Newcombe's interval of conversions, Welch's of means and ratios.
    pub absolute: Option<Effect>,
    /// (Variant − baseline) ÷ |baseline|, by the delta method; null where the baseline is 0.
    pub relative: Option<Effect>,
    /// The same for as many looks as one likes; null with `test=fixed`.
    pub sequential: Option<Sequential>,
    pub bayesian: Option<Bayesian>,
    /// Null where nothing was told of before the experiment.
    pub cuped: Option<CupedView>,
    pub notes: Vec<Note>,
}

vocabulary! {
    /// The test of a metric.
    pub enum TestName as "test_name" {
        /// Of conversions: the pooled z-test.
        TwoProportionZ = "two_proportion_z",
        /// Of means and counts.
        WelchT = "welch_t",
        /// Of ratios: Welch's test with the variance of the delta method.
        DeltaMethodT = "delta_method_t",
    }
}
word!(TestName);

vocabulary! {
    /// What to know about a comparison.
    pub enum Note as "note" {
        /// No unit came to the variant.
        EmptyArm = "empty_arm",
        /// No unit came to the baseline: nothing can be compared.
        BaselineEmpty = "baseline_empty",
        /// One unit has no variance: nothing can be tested.
        TooFewUnits = "too_few_units",
        /// The test holds for more: conversions with more than 5 of either kind in both arms, 30 units otherwise. Of the
        /// sequential test there is nothing until more than 10 units of either arm tell something.
        SmallSample = "small_sample",
        /// Neither arm varies, so that there is nothing to measure a difference by.
        ZeroVariance = "zero_variance",
        /// The baseline is 0, or too close to it to divide by: there is no relative lift.
        BaselineZero = "baseline_zero",
        /// Values, or their squares, leave the range of numbers.
        NumberTooLarge = "number_too_large",
        /// No event of the goal came in, of whomever: nothing is known of it.
        NoEventsOfGoal = "no_events_of_goal",
        /// The denominator of a ratio adds up to 0, or too close to it to divide by.
        DenominatorZero = "denominator_zero",
        /// No units were planned for it: it is not tested.
        Holdout = "holdout",
        /// Some units have no before: theirs is taken as 0.
        UnitsWithoutBefore = "units_without_before",
    }
}
word!(Note);

/// A lift.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Effect {
    #[schema(example = 0.05)]
    pub value: f64,
    #[schema(example = 0.0186)]
    pub standard_error: f64,
    /// Leaves alpha out. Null where nothing is known of how far the value may be off, because no unit differs from the
    /// others.
    pub interval: Option<[f64; 2]>,
}

/// What holds for as many looks as one likes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Sequential {
    #[schema(example = 0.1325)]
    pub p_value: f64,
    #[schema(example = -0.878)]
    pub p_log10: f64,
    #[schema(example = 0.1325)]
    pub p_value_adjusted: f64,
    pub absolute_interval: [f64; 2],
    pub relative_interval: Option<[f64; 2]>,
}

/// What is believed of the relative lift.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Bayesian {
    /// That the variant is better than the baseline, in the direction of the metric.
    #[schema(example = 0.9916)]
    pub chance_to_win: f64,
    /// What is lost on average, as a part of the baseline: by staying with the baseline, and by taking the variant.
    pub risk: [f64; 2],
}

/// The difference with what was known of the units before taken out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CupedView {
    #[schema(example = 0.795)]
    pub theta: f64,
    /// 0 to 1: which part of the variance of the difference it took out.
    #[schema(example = 0.63)]
    pub variance_reduction: Option<f64>,
    pub absolute: TestedEffect,
    /// ÷ the unadjusted value of the baseline.
    pub relative: Option<TestedEffect>,
    /// Of both arms; null where nobody counted.
    #[schema(example = 0)]
    pub units_without_before: Option<u64>,
}

/// A lift with its test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct TestedEffect {
    #[serde(flatten)]
    pub effect: Effect,
    #[schema(example = 0.1468)]
    pub p_value: f64,
    #[schema(example = -0.833)]
    pub p_log10: f64,
}

/// Whether the experiment ran as planned.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExperimentHealth {
    /// Null without a unit, or with fewer than two arms of a weight.
    pub srm: Option<Srm>,
    pub multiple_exposures: MultipleExposuresView,
}

/// Sample ratio mismatch: whether units came to the variants by their weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Srm {
    #[schema(example = 0.0)]
    pub chi_squared: f64,
    /// For one look.
    #[schema(example = 1.0)]
    pub p_value: f64,
    #[schema(example = 0.0)]
    pub p_log10: f64,
    /// For as many looks as one likes, such as daily ones.
    #[schema(example = 1.0)]
    pub sequential_p_value: f64,
    /// p below 0.001, from 100 exposures on.
    pub alarm: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct MultipleExposuresView {
    /// Units that were exposed to several variants.
    #[schema(example = 0)]
    pub units: u64,
    pub handling: Handling,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Decision {
    pub code: DecisionCode,
    pub reasons: Vec<Reason>,
    /// Of `continue`: about how many units more, of all arms together as they are split, until a lift as large as the
    /// present one, or as the minimum effect, is found with a power of 0.8; null where that cannot be said.
    #[schema(example = 2186)]
    pub units_needed: Option<u64>,
    /// Of `ship`: the variant with the largest lift of the first goal among those that can be shipped.
    #[schema(example = "B")]
    pub variant: Option<String>,
    /// Of each variant that is compared.
    pub variants: Vec<VariantDecision>,
}

/// What to do with one variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VariantDecision {
    #[schema(example = "B")]
    pub variant: String,
    pub code: DecisionCode,
    pub reasons: Vec<Reason>,
    #[schema(example = 2186)]
    pub units_needed: Option<u64>,
}

vocabulary! {
    /// What to do.
    pub enum DecisionCode as "decision" {
        /// Units did not come as planned: no number of it can be trusted until that is explained.
        Quarantine = "quarantine",
        /// It does harm: a guardrail, or a goal, is significantly worse.
        StopGuardrail = "stop_guardrail",
        /// It does what it was to do, and no harm.
        Ship = "ship",
        /// It does not do what it was to do: an improvement that matters is ruled out.
        StopNoEffect = "stop_no_effect",
        /// It cannot be told yet.
        Continue = "continue",
    }
}
word!(DecisionCode);

vocabulary! {
    /// Why.
    #[derive(PartialOrd, Ord)]
    pub enum Reason as "reason" {
        /// The numbers of units do not fit the weights.
        SampleRatioMismatch = "sample_ratio_mismatch",
        GuardrailSignificantlyWorse = "guardrail_significantly_worse",
        GoalSignificantlyWorse = "goal_significantly_worse",
        GoalsSignificantlyBetter = "goals_significantly_better",
        /// The interval rules out an improvement as large as the minimum effect.
        EffectBelowMinimum = "effect_below_minimum",
        SequentialIntervalIncludesZero = "sequential_interval_includes_zero",
        FixedIntervalIncludesZero = "fixed_interval_includes_zero",
        /// By itself it would be significant, among as many tests it is not.
        NotSignificantAfterCorrection = "not_significant_after_correction",
        /// A goal has too few units for its test.
        SmallSample = "small_sample",
        /// A guardrail may still be worse by more than its minimum effect.
        GuardrailUncertain = "guardrail_uncertain",
        /// A metric cannot be tested.
        NoData = "no_data",
        /// Without a goal there is nothing to ship for.
        NoGoal = "no_goal",
    }
}
word!(Reason);
