//! What an analysis is made of.

use crate::json::word;
use crate::query::vocabulary;
use crate::statistics::{Joint, Prior, Proportion, Sample};

vocabulary! {
    /// What a metric is for.
    pub enum Role as "role" {
        /// It is to get better.
        Goal = "goal",
        /// It is not to get worse.
        Guardrail = "guardrail",
    }
}

vocabulary! {
    /// What a metric is, and with that how it is tested.
    pub enum MetricType as "metric_type" {
        /// The part of the units that converted; by the pooled z-test.
        Conversion = "conversion",
        /// The mean of a number per unit; by Welch's t-test.
        Mean = "mean",
        /// The mean of a count per unit; by Welch's t-test.
        Count = "count",
        /// A sum over a sum, both of the units; by Welch's t-test with the variance of the delta method.
        Ratio = "ratio",
    }
}

vocabulary! {
    /// Which way a metric is to go.
    pub enum Direction as "direction" { Increase = "increase", Decrease = "decrease", }
}

vocabulary! {
    /// By which test it is decided.
    pub enum TestChoice as "test" {
        /// `sequential` while the experiment runs, since it can be looked at again; `fixed` once it is over.
        Auto = "auto",
        /// A test that holds for one look, at a size that was planned.
        Fixed = "fixed",
        /// A test that holds for as many looks as one likes.
        Sequential = "sequential",
    }
}

vocabulary! {
    /// How p-values are adjusted for their number.
    pub enum Correction as "correction" {
        /// Of what is called significant, at most the part alpha is false on average.
        BenjaminiHochberg = "benjamini_hochberg",
        /// That anything at all is called significant falsely has at most the chance alpha.
        Holm = "holm",
        None = "none",
    }
}

vocabulary! {
    /// Which p-values are adjusted together.
    pub enum CorrectionScope as "correction_scope" {
        /// Those of all metrics and variants.
        All = "all",
        /// Those of a metric, of all variants.
        Metric = "metric",
        /// Those of a variant, of all metrics.
        Variant = "variant",
    }
}

vocabulary! {
    /// What the Bayesian view believes of relative lifts before there are data.
    pub enum PriorChoice as "prior" {
        /// Every lift is as likely.
        Flat = "flat",
        /// A normal distribution about 0 with a standard deviation of 0.3.
        Normal = "normal",
    }
}

vocabulary! {
    /// What becomes of units that were exposed to several variants.
    pub enum Handling as "multiple_exposures" {
        /// They are left out.
        Exclude = "exclude",
        /// They are of the variant they were exposed to first.
        First = "first",
    }
}

word!(Role, Self::Goal);
word!(MetricType);
word!(Direction, Self::Increase);
word!(TestChoice, Self::Auto);
word!(Correction, Self::BenjaminiHochberg);
word!(CorrectionScope, Self::All);
word!(PriorChoice, Self::Flat);
word!(Handling, Self::Exclude);

impl PriorChoice {
    pub const fn prior(self) -> Prior {
        match self {
            Self::Flat => Prior::Flat,
            Self::Normal => Prior::Normal { mean: 0.0, standard_deviation: 0.3 },
        }
    }
}

/// How an experiment is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// What tests and intervals leave out, 0 to 1.
    pub alpha: f64,
    pub test: TestChoice,
    /// Whether it can be looked at again with more units; what `auto` goes by.
    pub is_running: bool,
    /// Units, of baseline and variant together, at which the sequential interval is to be the narrowest.
    pub sequential_tuning: f64,
    pub correction: Correction,
    pub correction_scope: CorrectionScope,
    pub prior: PriorChoice,
    /// The relative effect from which on a goal matters.
    pub minimum_effect: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            alpha: crate::statistics::ALPHA,
            test: TestChoice::Auto,
            is_running: true,
            sequential_tuning: 5_000.0,
            correction: Correction::BenjaminiHochberg,
            correction_scope: CorrectionScope::All,
            prior: PriorChoice::Flat,
            minimum_effect: 0.01,
        }
    }
}

impl Settings {
    pub fn is_sequential(&self) -> bool {
        match self.test {
            TestChoice::Auto => self.is_running,
            TestChoice::Fixed => false,
            TestChoice::Sequential => true,
        }
    }
}

/// An experiment with all that was observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// The name of one of the arms, which has a weight.
    pub baseline: String,
    /// All variants, the baseline too, in the order of the answer.
    pub arms: Vec<Arm>,
    pub metrics: Vec<Metric>,
    pub multiple_exposures: MultipleExposures,
    pub settings: Settings,
}

impl Experiment {
    /// Whether a variant is tested: it is not the baseline, and no holdout.
    pub fn is_compared(&self, variant: &str) -> bool {
        variant != self.baseline && !self.is_holdout(variant)
    }

    /// Whether no units were planned for a variant.
    pub fn is_holdout(&self, variant: &str) -> bool {
        self.arms.iter().any(|arm| arm.variant == variant && arm.weight <= 0.0)
    }
}

/// A variant as it was planned, and the units that it came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    pub variant: String,
    /// Its part of the units, of whatever all weights add up to; 0 or less makes it a holdout, which is not tested.
    pub weight: f64,
    pub exposures: u64,
}

/// Units that were exposed to several variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MultipleExposures {
    pub units: u64,
    pub handling: Handling,
}

/// A metric of all variants.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub id: String,
    pub role: Role,
    pub metric_type: MetricType,
    pub direction: Direction,
    /// The relative effect from which on it matters: of a goal in place of that of the settings; of a guardrail, how
    /// much worse it may be at most. A guardrail without is harmed by any significant change for the worse.
    pub minimum_effect: Option<f64>,
    /// By variant, in the order of the arms.
    pub variants: Vec<(String, Observed)>,
}

impl Metric {
    /// What was observed in a variant.
    pub fn observed(&self, variant: &str) -> &Observed {
        self.variants.iter().find(|(name, _)| name == variant).map_or(&Observed::EMPTY, |(_, observed)| observed)
    }
}

/// The sufficient statistics of a metric in one variant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    pub units: u64,
    /// Σy, in the unit of the metric.
    pub numerator: f64,
    /// Units, or of a ratio Σd.
    pub denominator: f64,
    /// `None` without units, of a ratio whose denominator adds up to 0, of what leaves the range of numbers, and where
    /// nothing was heard of the metric.
    pub outcome: Option<Outcome>,
    /// Whether any event of the metric came in, of whomever.
    pub is_heard_of: bool,
    /// What the units did and, as X, had done before the experiment; of a metric that is no ratio.
    pub before: Option<Joint>,
    /// Units that have no before, whose X is 0; `None` where nobody counted.
    pub units_without_before: Option<u64>,
}

/// What units did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    Proportion(Proportion),
    /// A mean, or a ratio with the variance of the delta method.
    Mean(Sample),
}

impl Outcome {
    pub fn sample(self) -> Option<Sample> {
        match self {
            Self::Proportion(proportion) => proportion.sample(),
            Self::Mean(sample) => Some(sample),
        }
    }
}

impl Observed {
    /// Of a variant that no unit came to.
    pub const EMPTY: Self = Self {
        units: 0,
        numerator: 0.0,
        denominator: 0.0,
        outcome: None,
        is_heard_of: true,
        before: None,
        units_without_before: None,
    };

    /// Of units about which nothing can be known: no event of the metric came in.
    pub const fn unheard_of(units: u64) -> Self {
        Self { units, is_heard_of: false, ..Self::EMPTY }
    }

    /// Of units that converted or did not.
    pub fn proportion(successes: u64, units: u64) -> Self {
        Self {
            units,
            numerator: successes as f64,
            denominator: units as f64,
            outcome: (units > 0).then_some(Outcome::Proportion(Proportion { successes, trials: units })),
            ..Self::EMPTY
        }
    }

    /// Of a number per unit with its sum.
    pub fn mean(sum: f64, sample: Sample) -> Self {
        Self {
            units: sample.n,
            numerator: sum,
            denominator: sample.n as f64,
            outcome: (sample.n > 0 && sample.mean.is_finite() && sample.variance.is_finite())
                .then_some(Outcome::Mean(sample)),
            ..Self::EMPTY
        }
    }

    /// Of two numbers per unit with their sums.
    pub fn ratio([numerator, denominator]: [f64; 2], joint: Joint) -> Self {
        let outcome = joint.ratio().map(Outcome::Mean);
        Self { units: joint.y.n, numerator, denominator, outcome, ..Self::EMPTY }
    }
}
