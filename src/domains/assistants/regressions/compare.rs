//! From what both sides did to cells, and from cells to a verdict. Pure.

use std::collections::BTreeSet;

use super::super::repository::{ArmRow, ErrorRow, UsedRow};
use super::schemas::{
    Arm, Cell, CellVerdict, Certainty, ComparedMetric, MetricDifference, Mix, RisenError, Verdict, VerdictCode,
    VerdictReason,
};
use crate::statistics::{
    ALPHA, Difference, Proportion, QuantileEstimate, Sample, benjamini_hochberg, homogeneity, mean_interval,
    quantile_difference, two_proportions, welch, wilson_interval,
};

/// What one side did.
#[derive(Debug, Clone, Default)]
pub struct Side {
    pub arm: ArmRow,
    pub used: Option<UsedRow>,
}

/// Values from which on a quantile has an interval that can be believed: twenty beyond it, or before it.
const FEWEST_BEYOND: f64 = 20.0;
/// Successes and failures from which on a test of proportions can be believed.
const FEWEST_OF_EACH: f64 = 5.0;
const FEWEST_OF_MEANS: u64 = 30;
/// A mix is shifted when more than this part of it is elsewhere, for certain.
const SHIFTED: (f64, f64) = (0.1, 0.001);
/// Errors that are told.
const MOST_ERRORS: usize = 10;

/// A comparison before p-values are adjusted.
struct Tested {
    baseline: Arm,
    candidate: Arm,
    difference: Option<Difference>,
    is_small: bool,
}

/// The cells of one assistant, or of all. `metrics` are those that are told.
pub fn cells(is_all: bool, assistant: &str, sides: [&Side; 2], metrics: &[ComparedMetric]) -> Vec<Cell> {
    let cell = |metric: &ComparedMetric| {
        let Tested { baseline, candidate, difference, is_small } = metric.test(sides);
        let relative = difference.zip(baseline.value.filter(|value| *value != 0.0));
        Cell {
            is_all,
            assistant_code: (!is_all && !assistant.is_empty()).then(|| assistant.to_owned()),
            metric: *metric,
            unit: metric.unit(),
            baseline,
            candidate,
            absolute: difference.map(|Difference { value, interval, .. }| MetricDifference { value, interval }),
            relative: relative.map(|(difference, value)| difference.value / value.abs()),
            test: metric.test_name(),
            p_value: difference.map(|difference| difference.p.value),
            p_log10: difference.map(|difference| difference.p.log10),
            p_value_adjusted: None,
            verdict: CellVerdict::Unknown,
            notes: if is_small && difference.is_some() { vec!["small_sample"] } else { Vec::new() },
        }
    };
    metrics.iter().map(cell).collect()
}

/// Adjusts the p-values of all cells together, and judges each.
pub fn judge(cells: &mut [Cell], certainty: Certainty) {
    let p_values: Vec<f64> = cells.iter().filter_map(|cell| cell.p_value).collect();
    let mut adjusted = benjamini_hochberg(&p_values).into_iter();
    for cell in cells.iter_mut().filter(|cell| cell.p_value.is_some()) {
        cell.p_value_adjusted = adjusted.next();
        let is_certain = cell.p_value_adjusted.is_some_and(|p| p < certainty.alpha);
        // Of a baseline of nothing every part is large.
        let matters = cell.relative.is_none_or(|relative| relative.abs() >= certainty.minimum_effect);
        let value = cell.absolute.map_or(0.0, |effect| effect.value);
        cell.verdict = match () {
            () if !(is_certain && matters) || value == 0.0 => CellVerdict::Same,
            () if value > 0.0 => CellVerdict::Worse,
            () => CellVerdict::Better,
        };
    }
}

/// What it all comes to.
pub fn verdict(sides: [&Side; 2], cells: &[Cell], errors: &[RisenError], mix: &[Mix], certainty: Certainty) -> Verdict {
    let [baseline, candidate] = sides.map(|side| side.arm.units > 0);
    let missing = [(baseline, VerdictReason::BaselineWithoutData), (candidate, VerdictReason::CandidateWithoutData)];
    let missing: Vec<VerdictReason> =
        missing.into_iter().filter(|(is_there, _)| !is_there).map(|(_, reason)| reason).collect();
    if !missing.is_empty() {
        return Verdict { code: VerdictCode::NoData, reasons: missing };
    }
    let of = |verdict: CellVerdict| cells.iter().filter(move |cell| cell.verdict == verdict);
    let mut worse: BTreeSet<VerdictReason> = of(CellVerdict::Worse).map(|cell| cell.metric.up()).collect();
    let is_new = |error: &RisenError| error.is_new && error.p_value_adjusted.is_some_and(|p| p < certainty.alpha);
    worse.extend(errors.iter().any(is_new).then_some(VerdictReason::NewErrorTypes));
    let better: BTreeSet<VerdictReason> = of(CellVerdict::Better).map(|cell| cell.metric.down()).collect();
    let code = match (worse.is_empty(), better.is_empty()) {
        (false, _) => VerdictCode::Regressed,
        (true, false) => VerdictCode::Improved,
        (true, true) => VerdictCode::NoDifference,
    };
    let mut reasons: Vec<VerdictReason> = worse.into_iter().chain(better).collect();
    reasons.extend((code == VerdictCode::NoDifference).then_some(VerdictReason::NoSignificantDifference));
    reasons.extend(mix.iter().any(|mix| mix.is_shifted).then_some(VerdictReason::MixShifted));
    let is_small = cells.iter().any(|cell| cell.p_value.is_none() || !cell.notes.is_empty());
    reasons.extend(is_small.then_some(VerdictReason::SmallSample));
    Verdict { code, reasons }
}

/// The errors that a larger part of the traces has than before, the largest rise first.
pub fn risen_errors(rows: &[ErrorRow], traces: [u64; 2]) -> Vec<RisenError> {
    let rise = |error: &RisenError| error.candidate.value.unwrap_or(0.0) - error.baseline.value.unwrap_or(0.0);
    let mut errors: Vec<RisenError> = rows
        .iter()
        .map(|row| {
            // A trace whose run began before the range has errors, and is none of the traces.
            let [baseline, candidate] = [row.baseline_traces, row.candidate_traces];
            let trials = [traces[0].max(baseline), traces[1].max(candidate)];
            let [baseline, candidate] = [(baseline, trials[0]), (candidate, trials[1])]
                .map(|(successes, trials)| Proportion { successes, trials });
            RisenError {
                error_type: row.error_type.clone(),
                is_new: baseline.successes == 0 && baseline.trials > 0,
                baseline: of_proportion(baseline),
                candidate: of_proportion(candidate),
                p_value: two_proportions(baseline, candidate, ALPHA).map(|difference| difference.p.value),
                p_value_adjusted: None,
            }
        })
        .filter(|error| rise(error) > 0.0)
        .collect();
    errors.sort_by(|one, other| rise(other).total_cmp(&rise(one)));
    let p_values: Vec<f64> = errors.iter().filter_map(|error| error.p_value).collect();
    let mut adjusted = benjamini_hochberg(&p_values).into_iter();
    errors
        .iter_mut()
        .filter(|error| error.p_value.is_some())
        .for_each(|error| error.p_value_adjusted = adjusted.next());
    errors.truncate(MOST_ERRORS);
    errors
}

/// How differently both are spread over the values of something; nothing when one did nothing.
pub fn mix(dimension: &str, counts: &[(u64, u64)]) -> Option<Mix> {
    let spread = homogeneity(counts)?;
    let is_shifted = spread.distance > SHIFTED.0 && spread.p.value < SHIFTED.1;
    Some(Mix { dimension: dimension.to_owned(), distance: spread.distance, p_value: spread.p.value, is_shifted })
}

fn of_proportion(proportion: Proportion) -> Arm {
    Arm {
        units: proportion.trials,
        numerator: Some(proportion.successes),
        value: proportion.value(),
        interval: wilson_interval(proportion.successes, proportion.trials, ALPHA),
    }
}

impl ComparedMetric {
    /// What runs are compared by.
    pub const OF_RUNS: &[Self] = &[Self::ErrorRate, Self::LatencyP50, Self::LatencyP95, Self::Cost, Self::Tokens];
    /// What calls are compared by.
    pub const OF_CALLS: &[Self] =
        &[Self::ErrorRate, Self::LatencyP50, Self::LatencyP95, Self::FirstTokenP95, Self::Cost, Self::Tokens];

    const fn unit(self) -> &'static str {
        match self {
            Self::ErrorRate => "ratio",
            Self::LatencyP50 | Self::LatencyP95 | Self::FirstTokenP95 => "ms",
            Self::Cost => "usd",
            Self::Tokens => "tokens",
        }
    }

    const fn test_name(self) -> &'static str {
        match self {
            Self::ErrorRate => "two_proportion_z",
            Self::LatencyP50 | Self::LatencyP95 | Self::FirstTokenP95 => "quantile_difference_z",
            Self::Cost | Self::Tokens => "welch_t",
        }
    }

    const fn up(self) -> VerdictReason {
        match self {
            Self::ErrorRate => VerdictReason::ErrorRateUp,
            Self::LatencyP50 => VerdictReason::LatencyP50Up,
            Self::LatencyP95 => VerdictReason::LatencyP95Up,
            Self::FirstTokenP95 => VerdictReason::FirstTokenP95Up,
            Self::Cost => VerdictReason::CostUp,
            Self::Tokens => VerdictReason::TokensUp,
        }
    }

    const fn down(self) -> VerdictReason {
        match self {
            Self::ErrorRate => VerdictReason::ErrorRateDown,
            Self::LatencyP50 => VerdictReason::LatencyP50Down,
            Self::LatencyP95 => VerdictReason::LatencyP95Down,
            Self::FirstTokenP95 => VerdictReason::FirstTokenP95Down,
            Self::Cost => VerdictReason::CostDown,
            Self::Tokens => VerdictReason::TokensDown,
        }
    }

    fn test(self, sides: [&Side; 2]) -> Tested {
        match self {
            Self::ErrorRate => of_rates(sides),
            Self::LatencyP50 => of_quantiles(0.5, sides.map(|side| (side.arm.ended, three(&side.arm.latency, 0)))),
            Self::LatencyP95 => of_quantiles(0.95, sides.map(|side| (side.arm.ended, three(&side.arm.latency, 1)))),
            Self::FirstTokenP95 => {
                of_quantiles(0.95, sides.map(|side| (side.arm.streamed, three(&side.arm.first_token, 1))))
            }
            Self::Cost => of_means(sides.map(|side| side.used.as_ref().map(UsedRow::cost))),
            Self::Tokens => of_means(sides.map(|side| side.used.as_ref().map(UsedRow::tokens))),
        }
    }
}

/// The values of one quantile: below, at and above it.
fn three(values: &[f64], quantile: usize) -> &[f64] {
    values.get(3 * quantile..3 * quantile + 3).unwrap_or_default()
}

fn of_rates(sides: [&Side; 2]) -> Tested {
    let rates = sides.map(|side| Proportion { successes: side.arm.failed, trials: side.arm.units });
    let is_small = |rate: &Proportion| {
        let (failed, good) = (rate.successes as f64, (rate.trials - rate.successes) as f64);
        failed <= FEWEST_OF_EACH || good <= FEWEST_OF_EACH
    };
    Tested {
        baseline: of_proportion(rates[0]),
        candidate: of_proportion(rates[1]),
        difference: two_proportions(rates[0], rates[1], ALPHA),
        is_small: rates.iter().any(is_small),
    }
}

/// Quantiles of samples, each with the values below, at and above it.
fn of_quantiles(level: f64, [baseline, candidate]: [(u64, &[f64]); 2]) -> Tested {
    let estimate = |(size, values): (u64, &[f64])| match values {
        [low, at, high] if size > 0 => Some(QuantileEstimate { value: *at, interval: [*low, *high] }),
        _ => None,
    };
    let arm = |side: (u64, &[f64])| {
        let estimate = estimate(side);
        Arm {
            units: side.0,
            numerator: None,
            value: estimate.map(|estimate| estimate.value),
            interval: estimate.map(|estimate| estimate.interval),
        }
    };
    let both = estimate(baseline).zip(estimate(candidate));
    // With fewer the interval ends where the sample does, and says too little.
    let can_be_tested = |size: u64| size as f64 * (1.0 - level) >= 1.0 && size > 1;
    let is_small = |size: u64| (size as f64 * (1.0 - level)) < FEWEST_BEYOND;
    Tested {
        baseline: arm(baseline),
        candidate: arm(candidate),
        difference: both
            .filter(|_| can_be_tested(baseline.0) && can_be_tested(candidate.0))
            .map(|(baseline, candidate)| quantile_difference(baseline, candidate, ALPHA)),
        is_small: is_small(baseline.0) || is_small(candidate.0),
    }
}

fn of_means([baseline, candidate]: [Option<Sample>; 2]) -> Tested {
    let arm = |sample: Option<Sample>| Arm {
        units: sample.map_or(0, |sample| sample.n),
        numerator: None,
        value: sample.map(|sample| sample.mean),
        interval: sample.and_then(|sample| mean_interval(sample, ALPHA)),
    };
    let is_small = |sample: Option<Sample>| sample.is_none_or(|sample| sample.n < FEWEST_OF_MEANS);
    Tested {
        baseline: arm(baseline),
        candidate: arm(candidate),
        difference: baseline.zip(candidate).and_then(|(baseline, candidate)| welch(baseline, candidate, ALPHA)),
        is_small: is_small(baseline) || is_small(candidate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTAINTY: Certainty = Certainty { alpha: 0.05, minimum_effect: 0.05 };

    fn side(units: u64, failed: u64, cost: f64) -> Side {
        let used = UsedRow { units, cost_mean: cost, cost_variance: 1e-6, ..UsedRow::default() };
        let latency = vec![90.0, 100.0, 110.0, 480.0, 500.0, 520.0];
        Side { arm: ArmRow { units, failed, ended: units, latency, ..ArmRow::default() }, used: Some(used) }
    }

    fn judged(baseline: &Side, candidate: &Side) -> (Vec<Cell>, Verdict) {
        let mut cells = cells(true, "", [baseline, candidate], ComparedMetric::OF_RUNS);
        judge(&mut cells, CERTAINTY);
        let verdict = verdict([baseline, candidate], &cells, &[], &[], CERTAINTY);
        (cells, verdict)
    }

    #[test]
    fn what_is_certain_and_matters_makes_the_verdict() {
        let (cells, verdict) = judged(&side(2_000, 20, 0.01), &side(2_000, 80, 0.01));
        assert_eq!((cells[0].metric, cells[0].verdict), (ComparedMetric::ErrorRate, CellVerdict::Worse));
        assert_eq!(verdict, Verdict { code: VerdictCode::Regressed, reasons: vec![VerdictReason::ErrorRateUp] });
        let (_, verdict) = judged(&side(2_000, 80, 0.01), &side(2_000, 20, 0.01));
        assert_eq!(verdict, Verdict { code: VerdictCode::Improved, reasons: vec![VerdictReason::ErrorRateDown] });
    }

    #[test]
    fn a_difference_that_is_certain_and_small_does_not_matter() {
        let (cells, verdict) = judged(&side(1_000_000, 20_000, 0.010), &side(1_000_000, 20_000, 0.010_4));
        let cost = cells.iter().find(|cell| cell.metric == ComparedMetric::Cost).unwrap();
        assert!(cost.p_value_adjusted.unwrap() < 1e-100 && cost.relative.unwrap() < 0.05, "{cost:?}");
        assert_eq!(cost.verdict, CellVerdict::Same);
        assert_eq!(verdict.reasons, [VerdictReason::NoSignificantDifference]);
        let (cells, _) = judged(&side(1_000_000, 20_000, 0.010), &side(1_000_000, 20_000, 0.010_6));
        assert_eq!(cells.iter().find(|cell| cell.metric == ComparedMetric::Cost).unwrap().verdict, CellVerdict::Worse);
    }

    #[test]
    fn p_values_are_adjusted_for_all_cells_together() {
        let (baseline, candidate) = (side(500, 10, 0.01), side(500, 22, 0.01));
        let (alone, _) = judged(&baseline, &candidate);
        let cells_of = |assistant: &str| cells(false, assistant, [&baseline, &baseline], ComparedMetric::OF_RUNS);
        let mut many = cells(true, "", [&baseline, &candidate], ComparedMetric::OF_RUNS);
        many.extend(["a", "b", "c"].into_iter().flat_map(cells_of));
        judge(&mut many, CERTAINTY);
        let [one, many] = [&alone[0], &many[0]].map(|cell| cell.p_value_adjusted.unwrap());
        assert!((many / one - 4.0).abs() < 1e-9, "{one} {many}");
    }

    #[test]
    fn few_values_are_no_ground_for_a_verdict_and_a_shifted_mix_is_told() {
        let (baseline, candidate) = (side(10, 0, 0.01), side(12, 3, 0.01));
        let mut cells = cells(true, "", [&baseline, &candidate], ComparedMetric::OF_RUNS);
        judge(&mut cells, CERTAINTY);
        assert_eq!(cells[0].notes, ["small_sample"]);
        assert_eq!(cells.iter().find(|cell| cell.metric == ComparedMetric::LatencyP95).unwrap().p_value, None);
        let mix = mix("environment", &[(90, 10), (10, 90)]).unwrap();
        assert!((mix.distance - 0.8).abs() < 1e-12 && mix.is_shifted, "{mix:?}");
        let verdict = verdict([&baseline, &candidate], &cells, &[], &[mix], CERTAINTY);
        let reasons = [VerdictReason::NoSignificantDifference, VerdictReason::MixShifted, VerdictReason::SmallSample];
        assert_eq!((verdict.code, verdict.reasons.as_slice()), (VerdictCode::NoDifference, reasons.as_slice()));
    }

    #[test]
    fn an_error_is_new_when_the_baseline_never_had_it() {
        let row = |error_type: &str, baseline_traces, candidate_traces| ErrorRow {
            error_type: error_type.to_owned(),
            baseline_traces,
            candidate_traces,
        };
        let errors = risen_errors(&[row("timeout", 50, 20), row("new", 0, 30), row("old", 10, 40)], [1_000, 1_000]);
        let told: Vec<(&str, bool)> = errors.iter().map(|error| (error.error_type.as_str(), error.is_new)).collect();
        // Both rose by three of a hundred.
        assert_eq!(told, [("new", true), ("old", false)]);
        assert!(errors[0].p_value_adjusted.unwrap() < 1e-6);
        // Without a trace of the baseline nothing can be new.
        assert!(!risen_errors(&[row("new", 0, 30)], [0, 100])[0].is_new);
    }
}
