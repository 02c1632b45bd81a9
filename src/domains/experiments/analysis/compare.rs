//! One metric: each variant beside the baseline, by the test of its type.

use super::input::{Direction, Experiment, Metric, MetricType, Observed, Outcome, Settings};
use super::schemas::{
    Alone, Bayesian, Compared, CupedView, Effect, Measured, MetricAnalysis, Note, Sequential, TestName, TestedEffect,
    Variant,
};
use crate::answer::Number;
use crate::statistics::{
    Difference, Evidence, Lift, Posterior, Proportion, Sample, confidence_sequence, cuped, mean_interval,
    two_proportions, wilson_interval,
};

/// Conversions, and others, of which there must be more.
const FEWEST_OF_EACH: f64 = 5.0;
const FEWEST_OF_MEANS: u64 = 30;
/// What is looked at again and again begins with luck: simulated at splits down to 1 in 100, so much evidence leaves
/// fewer than 5 % of experiments without a difference that are ever called one, and half of it does not.
const FEWEST_OF_LOOKS: f64 = 10.0;

/// Whether there is enough of both to trust the test for one look.
pub fn is_enough(baseline: &Observed, candidate: &Observed) -> bool {
    evidence(baseline, candidate).is_some_and(|evidence| evidence > FEWEST_OF_EACH)
        && [baseline, candidate].iter().all(|observed| match observed.outcome {
            Some(Outcome::Mean(sample)) => sample.n >= FEWEST_OF_MEANS,
            _ => true,
        })
}

/// How many times as many units it takes until there is enough, at the present split.
pub fn times_until_enough(baseline: &Observed, candidate: &Observed, is_sequential: bool) -> Option<f64> {
    let fewest = if is_sequential { FEWEST_OF_LOOKS } else { FEWEST_OF_EACH };
    evidence(baseline, candidate).filter(|evidence| *evidence > 0.0).map(|evidence| fewest / evidence)
}

fn evidence(baseline: &Observed, candidate: &Observed) -> Option<f64> {
    match (baseline.outcome?, candidate.outcome?) {
        (Outcome::Proportion(baseline), Outcome::Proportion(candidate)) => {
            Some(Proportion::evidence(baseline, candidate))
        }
        (baseline, candidate) => Some(Sample::evidence(baseline.sample()?, candidate.sample()?)),
    }
}

pub fn metric(experiment: &Experiment, metric: &Metric) -> MetricAnalysis {
    let baseline = metric.variants.iter().find(|(variant, _)| *variant == experiment.baseline);
    let baseline = baseline.map_or(Observed::EMPTY, |(_, observed)| *observed);
    let settings = &experiment.settings;
    let of = |(variant, observed): &(String, Observed)| {
        let measured = measured(variant, observed, settings.alpha);
        if experiment.is_compared(variant) {
            return Variant::Compared(Box::new(compared(metric, measured, [&baseline, observed], settings)));
        }
        let mut notes = own_notes(observed);
        notes.extend(experiment.is_holdout(variant).then_some(Note::Holdout));
        Variant::Alone(Alone { measured, notes })
    };
    MetricAnalysis {
        id: metric.id.clone(),
        role: metric.role,
        metric_type: metric.metric_type,
        variants: metric.variants.iter().map(of).collect(),
    }
}

fn measured(variant: &str, observed: &Observed, alpha: f64) -> Measured {
    let interval = observed.outcome.and_then(|outcome| match outcome {
        Outcome::Proportion(of) => wilson_interval(of.successes, of.trials, alpha),
        Outcome::Mean(sample) => mean_interval(sample, alpha),
    });
    Measured {
        variant: variant.to_owned(),
        units: observed.units,
        numerator: number(observed.numerator),
        denominator: number(observed.denominator),
        value: observed.outcome.and_then(Outcome::sample).map(|sample| sample.mean),
        interval,
    }
}

/// A sum, as a whole number where it is one.
fn number(sum: f64) -> Number {
    const WHOLE: f64 = 9e15;
    match sum {
        sum if sum.fract() == 0.0 && (0.0..WHOLE).contains(&sum) => Number::Count(sum as u64),
        sum if sum.fract() == 0.0 && sum.abs() < WHOLE => Number::Difference(sum as i64),
        sum => Number::Real(sum),
    }
}

/// What there is to know of a variant by itself.
fn own_notes(observed: &Observed) -> Vec<Note> {
    let note = match (observed.units, observed.outcome) {
        (0, _) => Some(Note::EmptyArm),
        (_, None) if !observed.is_heard_of => Some(Note::NoEventsOfGoal),
        (_, None) if observed.denominator != 0.0 => Some(Note::NumberTooLarge),
        (_, None) => Some(Note::DenominatorZero),
        _ => None,
    };
    note.into_iter().collect()
}

fn compared(metric: &Metric, measured: Measured, sides: [&Observed; 2], settings: &Settings) -> Compared {
    let [baseline, candidate] = sides;
    let mut notes = own_notes(candidate);
    match own_notes(baseline).first() {
        Some(Note::EmptyArm) => notes.push(Note::BaselineEmpty),
        Some(note) if !notes.contains(note) => notes.push(*note),
        _ => {}
    }
    let tested = baseline.outcome.zip(candidate.outcome).and_then(|(baseline, candidate)| {
        let samples = [baseline.sample()?, candidate.sample()?];
        notes.extend(notes_of([baseline, candidate], samples));
        Tested::of([baseline, candidate], samples, settings.alpha)
    });
    let sequential = settings.is_sequential().then(|| sequential(sides, settings)).flatten();
    if settings.is_sequential() && tested.is_some() && sequential.is_none() && notes.is_empty() {
        notes.push(Note::SmallSample);
    }
    let cuped = baseline.before.zip(candidate.before).and_then(|(one, two)| cuped(one, two));
    let without =
        baseline.units_without_before.zip(candidate.units_without_before).map(|(one, two)| one.saturating_add(two));
    if cuped.is_some() && without.is_some_and(|units| units > 0) {
        notes.push(Note::UnitsWithoutBefore);
    }
    let p = tested.as_ref().map(|tested| tested.fixed.p);
    Compared {
        measured,
        test: test_name(metric.metric_type),
        p_value: p.map(|p| p.value),
        p_log10: p.map(|p| p.log10),
        p_value_adjusted: p.map(|p| p.value),
        absolute: tested.as_ref().map(|tested| effect(tested.fixed)),
        relative: tested.as_ref().and_then(|tested| tested.relative).map(|lift| relative_effect(lift, settings.alpha)),
        sequential,
        bayesian: tested.as_ref().and_then(|tested| bayesian(tested.relative?, metric.direction, settings)),
        cuped: cuped.map(|cuped| CupedView {
            theta: cuped.theta,
            variance_reduction: cuped.variance_reduction,
            absolute: tested_effect(cuped.absolute, settings.alpha),
            relative: cuped.relative.map(|lift| tested_effect(lift, settings.alpha)),
            units_without_before: without,
        }),
        notes,
    }
}

const fn test_name(metric_type: MetricType) -> TestName {
    match metric_type {
        MetricType::Conversion => TestName::TwoProportionZ,
        MetricType::Mean | MetricType::Count => TestName::WelchT,
        MetricType::Ratio => TestName::DeltaMethodT,
    }
}

/// A comparison: the test for one look, and the lift as a part of the baseline.
struct Tested {
    fixed: Difference,
    relative: Option<Lift>,
}

impl Tested {
    fn of(outcomes: [Outcome; 2], [baseline, candidate]: [Sample; 2], alpha: f64) -> Option<Self> {
        let fixed = match outcomes {
            [Outcome::Proportion(baseline), Outcome::Proportion(candidate)] => {
                two_proportions(baseline, candidate, alpha)?
            }
            _ => Lift::absolute(baseline, candidate)?.difference(alpha),
        };
        Some(Self { fixed, relative: Lift::relative(baseline, candidate) })
    }
}

fn notes_of(outcomes: [Outcome; 2], samples: [Sample; 2]) -> Vec<Note> {
    let is_small = |outcome: &Outcome| match outcome {
        Outcome::Proportion(of) => {
            of.successes as f64 <= FEWEST_OF_EACH || (of.trials.saturating_sub(of.successes)) as f64 <= FEWEST_OF_EACH
        }
        Outcome::Mean(sample) => sample.n < FEWEST_OF_MEANS,
    };
    let notes = [
        (samples.iter().any(|sample| sample.n < 2), Note::TooFewUnits),
        (outcomes.iter().any(is_small), Note::SmallSample),
        (samples.iter().all(|sample| sample.variance <= 0.0), Note::ZeroVariance),
        (
            Lift::absolute(samples[0], samples[1]).is_some() && Lift::relative(samples[0], samples[1]).is_none(),
            Note::BaselineZero,
        ),
    ];
    notes.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note).collect()
}

/// What holds for all looks together. Nothing does before there is enough of both.
fn sequential([baseline, candidate]: [&Observed; 2], settings: &Settings) -> Option<Sequential> {
    if evidence(baseline, candidate)? <= FEWEST_OF_LOOKS {
        return None;
    }
    let (mut baseline, mut candidate) = (baseline.outcome?.sample()?, candidate.outcome?.sample()?);
    // A sample in which all are alike so far is not known to be so: the variance of the other stands in.
    let varying = baseline.variance.max(candidate.variance);
    for sample in [&mut baseline, &mut candidate] {
        sample.variance = if sample.variance > 0.0 { sample.variance } else { varying };
    }
    let at = |lift: Lift| confidence_sequence(lift, settings.alpha, settings.sequential_tuning);
    let absolute = at(Lift::absolute(baseline, candidate)?)?;
    Some(Sequential {
        p_value: absolute.p.value,
        p_log10: absolute.p.log10,
        p_value_adjusted: absolute.p.value,
        absolute_interval: absolute.interval,
        relative_interval: Lift::relative(baseline, candidate).and_then(at).map(|relative| relative.interval),
    })
}

fn bayesian(relative: Lift, direction: Direction, settings: &Settings) -> Option<Bayesian> {
    let posterior = Posterior::of(relative, settings.prior.prior())?;
    let posterior = if direction == Direction::Decrease { posterior.reversed() } else { posterior };
    Some(Bayesian { chance_to_win: posterior.chance_to_win(), risk: posterior.risk() })
}

fn effect(Difference { value, standard_error, interval, .. }: Difference) -> Effect {
    Effect { value, standard_error, interval: Some(interval) }
}

/// A sample in which all are alike says nothing of how far the lift may be off.
fn relative_effect(lift: Lift, alpha: f64) -> Effect {
    let effect = effect(lift.difference(alpha));
    Effect { interval: effect.interval.filter(|_| lift.standard_error > 0.0), ..effect }
}

fn tested_effect(lift: Lift, alpha: f64) -> TestedEffect {
    let difference = lift.difference(alpha);
    TestedEffect { effect: effect(difference), p_value: difference.p.value, p_log10: difference.p.log10 }
}
