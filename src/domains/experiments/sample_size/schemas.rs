//! The question for a sample size, and its answer.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;

use crate::query::{
    FromParameters, Parameters, Problem, number, optional_number, question, take_number, take_optional,
};
use crate::statistics::{Assurance, units_for_means, units_for_proportions};

question! {
    /// How many units does an experiment take?
    pub struct SampleSizeQuestion {
        sought: Sought,
        sureness: Sureness,
    }
}

/// What is to be found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sought {
    /// A conversion rate that becomes another.
    Rates { baseline: f64, candidate: f64 },
    /// A mean that becomes another.
    Means { standard_deviation: f64, difference: f64 },
}

const RATE: &str = "baseline_rate";
const EFFECT: &str = "minimum_effect";
const DEVIATION: &str = "standard_deviation";
const DIFFERENCE: &str = "minimum_difference";

impl FromParameters for Sought {
    fn describe() -> Vec<Parameter> {
        let described = |name, description| optional_number(name, description).build();
        vec![
            described(
                RATE,
                "Of a conversion: its rate in the baseline, between 0 and 1. Together with `minimum_effect`, or `minimum_difference`.",
            ),
            described(
                EFFECT,
                "Of a conversion: the relative effect that is to be found; 0.2 makes 0.10 to 0.12, -0.2 makes it 0.08.",
            ),
            described(DEVIATION, "Of a mean: its standard deviation, in its unit. Together with `minimum_difference`."),
            described(
                DIFFERENCE,
                "The absolute difference that is to be found: of a mean in its unit, of a rate as a part of 1.",
            ),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let [rate, effect, deviation, difference] =
            [RATE, EFFECT, DEVIATION, DIFFERENCE].map(|name| take_optional(parameters, name));
        let (rate, effect, deviation, difference) = (rate?, effect?, deviation?, difference?);
        match (rate, effect, deviation, difference) {
            (Some(rate), Some(effect), None, None) => rates(parameters, EFFECT, rate, rate * (1.0 + effect)),
            (Some(rate), None, None, Some(difference)) => rates(parameters, DIFFERENCE, rate, rate + difference),
            (None, None, Some(deviation), Some(difference)) => means(parameters, deviation, difference),
            _ => parameters.refuse(Problem::general(
                "give `baseline_rate` with `minimum_effect` (or `minimum_difference`), or `standard_deviation` with `minimum_difference`",
            )),
        }
    }
}

fn rates(parameters: &mut Parameters, name: &str, baseline: f64, candidate: f64) -> Option<Sought> {
    if !(baseline > 0.0 && baseline < 1.0) {
        return parameters.refuse(Problem::parameter(RATE, format!("`{baseline}` is not between 0 and 1")));
    }
    if !(0.0..=1.0).contains(&candidate) {
        return parameters
            .refuse(Problem::parameter(name, format!("makes a rate of {candidate}, which is not from 0 to 1")));
    }
    if baseline == candidate {
        return parameters.refuse(Problem::parameter(name, "is nothing that could be found"));
    }
    Some(Sought::Rates { baseline, candidate })
}

fn means(parameters: &mut Parameters, standard_deviation: f64, difference: f64) -> Option<Sought> {
    if standard_deviation <= 0.0 {
        return parameters.refuse(Problem::parameter(DEVIATION, "is not above 0"));
    }
    if difference == 0.0 {
        return parameters.refuse(Problem::parameter(DIFFERENCE, "is nothing that could be found"));
    }
    Some(Sought::Means { standard_deviation, difference })
}

/// How sure the experiment is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sureness(pub Assurance);

const ALPHA: (&str, [f64; 2], f64) = ("alpha", [0.000_1, 0.5], 0.05);
const POWER: (&str, [f64; 2], f64) = ("power", [0.01, 0.999_9], 0.8);

impl FromParameters for Sureness {
    fn describe() -> Vec<Parameter> {
        let of_alpha = "How often a difference is found where there is none; two-sided.";
        let of_power = "How often the difference is found that is sought.";
        vec![number(ALPHA.0, of_alpha, ALPHA.1, ALPHA.2).build(), number(POWER.0, of_power, POWER.1, POWER.2).build()]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let alpha = take_number(parameters, ALPHA.0, ALPHA.1, ALPHA.2);
        let power = take_number(parameters, POWER.0, POWER.1, POWER.2);
        Some(Self(Assurance { alpha: alpha?, power: power? }))
    }
}

/// How many units an experiment takes that is looked at once, when it has them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SampleSize {
    /// Null when it is more than whole numbers are told apart to, 9·10¹⁵.
    #[schema(example = 3841)]
    pub units_per_variant: Option<u64>,
    /// Of a conversion; null otherwise.
    #[schema(example = 0.1)]
    pub baseline_rate: Option<f64>,
    /// The rate that is to be told from it.
    #[schema(example = 0.12)]
    pub variant_rate: Option<f64>,
    /// Of a mean; null otherwise.
    pub standard_deviation: Option<f64>,
    /// What is to be found, absolute.
    #[schema(example = 0.02)]
    pub minimum_difference: f64,
    #[schema(example = 0.05)]
    pub alpha: f64,
    #[schema(example = 0.8)]
    pub power: f64,
}

impl SampleSize {
    pub fn of(SampleSizeQuestion { sought, sureness: Sureness(assurance) }: &SampleSizeQuestion) -> Self {
        let (units_per_variant, rates, standard_deviation, minimum_difference) = match *sought {
            Sought::Rates { baseline, candidate } => {
                let units = units_for_proportions(baseline, candidate, *assurance);
                (units, Some([baseline, candidate]), None, candidate - baseline)
            }
            Sought::Means { standard_deviation, difference } => (
                units_for_means(standard_deviation, difference, *assurance),
                None,
                Some(standard_deviation),
                difference,
            ),
        };
        Self {
            units_per_variant,
            baseline_rate: rates.map(|[baseline, _]| baseline),
            variant_rate: rates.map(|[_, variant]| variant),
            standard_deviation,
            minimum_difference,
            alpha: assurance.alpha,
            power: assurance.power,
        }
    }
}
