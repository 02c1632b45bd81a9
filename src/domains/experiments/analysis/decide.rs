//! From comparisons to a decision.
//!
//! A variant is judged by its basis: the sequential test and interval, or with `test=fixed` those for one look.
//! *Significant* is an adjusted p-value below alpha, of enough units for the test. The *wished* side of an interval is the upper one of a metric that
//! is to increase, the lower one of one that is to decrease; a relative interval lies *within* a minimum effect m when
//! it lies between −m and m. Of each variant holds the first that applies:
//!
//! 1. `quarantine`: units did not come as planned (`health.srm.alarm`).
//! 2. `stop_guardrail`: a guardrail, or a goal, is significantly worse. Not when its interval lies within its minimum
//!    effect: then the harm does not matter. Goals always have one, guardrails when it is given.
//! 3. `ship`: at least one goal is significantly better; every other goal is that too,
//!    or lies within its minimum effect; and each guardrail with a minimum effect is certainly not worse by more.
//! 4. `stop_no_effect`: there are goals, and the wished side of each one's interval is below its minimum effect.
//! 5. `continue`: anything else.
//!
//! With several variants the experiment is shipped when one can be; else it is stopped when one does harm; else it
//! continues while one has to; only when none of them has an effect it is stopped for that.

use std::collections::BTreeSet;

use super::compare::{is_enough, times_until_enough};
use super::input::{Direction, Experiment, Metric, Role, Settings};
use super::schemas::{
    Compared, Decision, DecisionCode, ExperimentHealth, MetricAnalysis, Note, Reason, Variant, VariantDecision,
};
use crate::statistics::{Assurance, Judged, Lift, times_as_many};

/// How often a lift is to be found that there is.
const POWER: f64 = 0.8;

pub fn decide(experiment: &Experiment, metrics: &[MetricAnalysis], health: &ExperimentHealth) -> Decision {
    let is_mismatched = health.srm.is_some_and(|srm| srm.alarm);
    let compared = experiment.arms.iter().map(|arm| arm.variant.as_str()).filter(|name| experiment.is_compared(name));
    let variants: Vec<VariantDecision> = compared
        .map(|variant| {
            let verdict = match is_mismatched {
                true => Verdict::of(DecisionCode::Quarantine, [Reason::SampleRatioMismatch]),
                false => judge(&of_variant(experiment, metrics, variant), experiment),
            };
            VariantDecision {
                variant: variant.to_owned(),
                code: verdict.code,
                reasons: verdict.reasons.into_iter().collect(),
                units_needed: verdict.units_needed,
            }
        })
        .collect();
    const FIRST_OF: [DecisionCode; 5] = [
        DecisionCode::Quarantine,
        DecisionCode::Ship,
        DecisionCode::StopGuardrail,
        DecisionCode::Continue,
        DecisionCode::StopNoEffect,
    ];
    let code = FIRST_OF.into_iter().find(|code| variants.iter().any(|variant| variant.code == *code));
    let Some(code) = code else {
        let reasons = vec![Reason::NoData];
        return Decision { code: DecisionCode::Continue, reasons, units_needed: None, variant: None, variants };
    };
    let deciding = || variants.iter().filter(|variant| variant.code == code);
    let reasons: BTreeSet<Reason> = deciding().flat_map(|variant| variant.reasons.iter().copied()).collect();
    let lift = |variant: &&VariantDecision| first_goal(&of_variant(experiment, metrics, &variant.variant));
    let best = deciding().max_by(|one, other| lift(one).total_cmp(&lift(other)));
    Decision {
        code,
        reasons: reasons.into_iter().collect(),
        units_needed: deciding().filter_map(|variant| variant.units_needed).max(),
        variant: best.filter(|_| code == DecisionCode::Ship).map(|variant| variant.variant.clone()),
        variants,
    }
}

struct Verdict {
    code: DecisionCode,
    reasons: BTreeSet<Reason>,
    units_needed: Option<u64>,
}

impl Verdict {
    fn of(code: DecisionCode, reasons: impl IntoIterator<Item = Reason>) -> Self {
        Self { code, reasons: reasons.into_iter().collect(), units_needed: None }
    }
}

/// The comparisons of one variant.
fn of_variant<'a>(
    experiment: &'a Experiment,
    metrics: &'a [MetricAnalysis],
    variant: &str,
) -> Vec<(&'a Metric, &'a Compared, Option<f64>)> {
    let of = |(metric, analysis): (&'a Metric, &'a MetricAnalysis)| {
        let measured = analysis.variants.iter().map(Variant::measured);
        let baseline = measured.clone().find(|measured| measured.variant == experiment.baseline)?.value;
        analysis.variants.iter().find_map(|candidate| match candidate {
            Variant::Compared(compared) if compared.measured.variant == variant => {
                Some((metric, compared.as_ref(), baseline))
            }
            _ => None,
        })
    };
    experiment.metrics.iter().zip(metrics).filter_map(of).collect()
}

/// How much better the first goal is.
fn first_goal(comparisons: &[(&Metric, &Compared, Option<f64>)]) -> f64 {
    let goal = comparisons.iter().find(|(metric, ..)| metric.role == Role::Goal);
    let lift = goal.and_then(|(metric, compared, _)| Some(sign(metric.direction) * compared.absolute?.value));
    lift.unwrap_or(f64::NEG_INFINITY)
}

const fn sign(direction: Direction) -> f64 {
    match direction {
        Direction::Increase => 1.0,
        Direction::Decrease => -1.0,
    }
}

/// What a comparison says, with lifts turned so that more is better.
struct Finding {
    /// By the test alone, and after correction; `None` where nothing can be tested.
    is_below_alpha: Option<bool>,
    is_significant: bool,
    lift: f64,
    /// Relative.
    interval: Option<[f64; 2]>,
    /// Whether there is enough to go by.
    is_trusted: bool,
    is_small: bool,
}

impl Finding {
    fn of(metric: &Metric, compared: &Compared, experiment: &Experiment) -> Self {
        let settings = &experiment.settings;
        let sign = sign(metric.direction);
        let turned = |[lower, upper]: [f64; 2]| if sign > 0.0 { [lower, upper] } else { [-upper, -lower] };
        let (p_value, adjusted, interval) = match (&compared.sequential, settings.is_sequential()) {
            (Some(of), true) => (Some(of.p_value), Some(of.p_value_adjusted), of.relative_interval),
            (None, true) => (None, None, None),
            (_, false) => {
                // Of few units it is narrower than it may be.
                let is_small = compared.notes.contains(&Note::SmallSample);
                let relative = compared.relative.filter(|_| !is_small).and_then(|relative| relative.interval);
                (compared.p_value, compared.p_value_adjusted, relative)
            }
        };
        Self {
            is_below_alpha: p_value.map(|p| p < settings.alpha),
            is_significant: adjusted.is_some_and(|p| p < settings.alpha),
            lift: compared.absolute.map_or(0.0, |absolute| sign * absolute.value),
            interval: interval.map(turned),
            is_small: compared.notes.contains(&Note::SmallSample),
            is_trusted: match settings.is_sequential() {
                true => compared.sequential.is_some(),
                false => is_enough(metric.observed(&experiment.baseline), metric.observed(&compared.measured.variant)),
            },
        }
    }

    fn is_better(&self) -> bool {
        self.is_trusted && self.is_significant && self.lift > 0.0
    }

    fn is_worse(&self) -> bool {
        self.is_trusted && self.is_significant && self.lift < 0.0
    }

    fn is_within(&self, minimum: f64) -> bool {
        self.is_below(minimum) && self.is_above(-minimum)
    }

    /// An improvement as large as the minimum is ruled out.
    fn is_below(&self, minimum: f64) -> bool {
        self.interval.is_some_and(|[_, upper]| upper < minimum)
    }

    fn is_above(&self, least: f64) -> bool {
        self.interval.is_some_and(|[lower, _]| lower > least)
    }
}

fn judge(comparisons: &[(&Metric, &Compared, Option<f64>)], experiment: &Experiment) -> Verdict {
    let settings = &experiment.settings;
    let of_role = |role: Role| {
        let of = comparisons.iter().filter(move |(metric, ..)| metric.role == role);
        of.map(|(metric, compared, _)| (*metric, Finding::of(metric, compared, experiment)))
    };
    let minimum = |metric: &Metric| metric.minimum_effect.unwrap_or(settings.minimum_effect);
    let (goals, guardrails): (Vec<_>, Vec<_>) = (of_role(Role::Goal).collect(), of_role(Role::Guardrail).collect());

    let is_harmed = |(metric, finding): &&(&Metric, Finding)| {
        finding.is_worse() && !metric.minimum_effect.is_some_and(|minimum| finding.is_within(minimum))
    };
    let is_lost = |(metric, finding): &&(&Metric, Finding)| finding.is_worse() && !finding.is_within(minimum(metric));
    let harm = [
        (guardrails.iter().any(|of| is_harmed(&of)), Reason::GuardrailSignificantlyWorse),
        (goals.iter().any(|of| is_lost(&of)), Reason::GoalSignificantlyWorse),
    ];
    if harm.iter().any(|(holds, _)| *holds) {
        let reasons = harm.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason);
        return Verdict::of(DecisionCode::StopGuardrail, reasons);
    }

    let is_uncertain =
        |(metric, finding): &(&Metric, Finding)| metric.minimum_effect.is_some_and(|margin| !finding.is_above(-margin));
    let is_uncertain = guardrails.iter().any(is_uncertain);
    let can_ship = goals.iter().any(|(_, finding)| finding.is_better())
        && goals.iter().all(|(metric, finding)| finding.is_better() || finding.is_within(minimum(metric)));
    if can_ship && !is_uncertain {
        return Verdict::of(DecisionCode::Ship, [Reason::GoalsSignificantlyBetter]);
    }
    if !goals.is_empty()
        && goals.iter().all(|(metric, finding)| finding.is_below(minimum(metric)) && !finding.is_better())
    {
        return Verdict::of(DecisionCode::StopNoEffect, [Reason::EffectBelowMinimum]);
    }

    let mut reasons: BTreeSet<Reason> = goals.iter().filter_map(|of| undecided(of, settings)).collect();
    reasons.extend((can_ship && is_uncertain).then_some(Reason::GuardrailUncertain));
    reasons.extend(goals.is_empty().then_some(Reason::NoGoal));
    let open = comparisons.iter().filter(|(metric, compared, _)| {
        metric.role == Role::Goal
            && undecided(&(*metric, Finding::of(metric, compared, experiment)), settings).is_some()
    });
    let needed = open.filter_map(|(metric, compared, baseline)| {
        let target = minimum(metric) * baseline.unwrap_or(0.0).abs();
        units_needed(compared, target, experiment, metric)
    });
    Verdict { code: DecisionCode::Continue, reasons, units_needed: needed.max() }
}

/// Why a goal is not decided; nothing when it is.
fn undecided((metric, finding): &(&Metric, Finding), settings: &Settings) -> Option<Reason> {
    let minimum = metric.minimum_effect.unwrap_or(settings.minimum_effect);
    match finding.is_below_alpha {
        None if !finding.is_small => Some(Reason::NoData),
        _ if !finding.is_trusted => Some(Reason::SmallSample),
        _ if finding.is_better() || finding.is_within(minimum) => None,
        Some(true) if !finding.is_significant => Some(Reason::NotSignificantAfterCorrection),
        _ if settings.is_sequential() => Some(Reason::SequentialIntervalIncludesZero),
        _ => Some(Reason::FixedIntervalIncludesZero),
    }
}

/// Units of all arms that are still missing until the present lift, or one of `least`, is found.
fn units_needed(compared: &Compared, least: f64, experiment: &Experiment, metric: &Metric) -> Option<u64> {
    let settings = &experiment.settings;
    let of = |variant: &str| metric.observed(variant).units;
    let absolute = compared.absolute.filter(|absolute| absolute.standard_error > 0.0)?;
    let pair = of(&experiment.baseline) as f64 + compared.measured.units as f64;
    let lift =
        Lift { value: absolute.value, standard_error: absolute.standard_error, freedom: f64::INFINITY, units: pair };
    let judged = match settings.is_sequential() {
        true => Judged::Sequential { tuning: settings.sequential_tuning },
        false => Judged::Fixed,
    };
    let assurance = Assurance { alpha: settings.alpha, power: POWER };
    let sides = [&*experiment.baseline, &*compared.measured.variant].map(|variant| metric.observed(variant));
    let enough = times_until_enough(sides[0], sides[1], settings.is_sequential())?;
    let times = times_as_many(lift, absolute.value.abs().max(least), judged, assurance)?.max(enough);
    let all: f64 = experiment.arms.iter().map(|arm| of(&arm.variant) as f64).sum();
    Some((all * (times - 1.0)).ceil().max(0.0) as u64)
}

#[cfg(test)]
mod tests;
