//! Decisions, by what they rest on.

use proptest::prelude::*;

use super::super::{
    Analysis, Arm, Correction, CorrectionScope, Handling, MetricType, MultipleExposures, Observed, TestChoice, analyze,
};
use super::*;
use crate::statistics::{Sample, Sums};

fn names(count: usize) -> Vec<String> {
    ["A", "B", "C", "D"][..count].iter().map(|name| (*name).to_owned()).collect()
}

fn metric(id: &str, observed: &[Observed]) -> Metric {
    Metric {
        id: id.to_owned(),
        role: Role::Goal,
        metric_type: MetricType::Conversion,
        direction: Direction::Increase,
        minimum_effect: None,
        variants: names(observed.len()).into_iter().zip(observed.iter().copied()).collect(),
    }
}

/// A goal whose variants converted so many of so many units.
fn goal(id: &str, rates: &[(u64, u64)]) -> Metric {
    let observed: Vec<Observed> =
        rates.iter().map(|(successes, units)| Observed::proportion(*successes, *units)).collect();
    metric(id, &observed)
}

/// Errors, which are not to become more.
fn guardrail(minimum_effect: Option<f64>, rates: &[(u64, u64)]) -> Metric {
    Metric { role: Role::Guardrail, direction: Direction::Decrease, minimum_effect, ..goal("errors", rates) }
}

fn experiment(test: TestChoice, metrics: Vec<Metric>) -> Experiment {
    let arms = metrics[0].variants.iter();
    let arms = arms.map(|(name, of)| Arm { variant: name.clone(), weight: 1.0, exposures: of.units }).collect();
    let multiple_exposures = MultipleExposures { units: 0, handling: Handling::Exclude };
    let settings = Settings { test, ..Settings::default() };
    Experiment { baseline: "A".to_owned(), arms, metrics, multiple_exposures, settings }
}

#[track_caller]
fn assert_decided(experiment: &Experiment, code: DecisionCode, reasons: &[Reason]) -> Analysis {
    let analysis = analyze(experiment);
    let decision = &analysis.decision;
    assert_eq!((decision.code, decision.reasons.as_slice()), (code, reasons), "{analysis:#?}");
    analysis
}

use DecisionCode::{Continue, Quarantine, Ship, StopGuardrail, StopNoEffect};
use TestChoice::{Auto, Fixed, Sequential};

const WON: [(u64, u64); 2] = [(2_000, 10_000), (2_400, 10_000)];
const SAME: [(u64, u64); 2] = [(400_000, 2_000_000), (400_000, 2_000_000)];

#[test]
fn what_is_better_and_does_no_harm_is_shipped() {
    for test in [Auto, Fixed, Sequential] {
        let analysis =
            assert_decided(&experiment(test, vec![goal("sales", &WON)]), Ship, &[Reason::GoalsSignificantlyBetter]);
        assert_eq!((analysis.decision.variant.as_deref(), analysis.decision.units_needed), (Some("B"), None));
    }
    let fewer = Metric { direction: Direction::Decrease, ..goal("errors", &[WON[1], WON[0]]) };
    assert_decided(&experiment(Auto, vec![fewer]), Ship, &[Reason::GoalsSignificantlyBetter]);
}

#[test]
fn what_one_look_finds_has_to_last_while_there_are_more() {
    let mut once = experiment(Auto, vec![goal("sales", &[(200, 1_000), (250, 1_000)])]);
    let reasons = [Reason::SequentialIntervalIncludesZero];
    let needed = assert_decided(&once, Continue, &reasons).decision.units_needed.unwrap();
    // scipy.optimize.brentq of the half-width + 0.8416·SE, less the 2,000 that there are
    assert!((2_170..2_200).contains(&needed), "{needed}");
    once.settings.is_running = false;
    assert_decided(&once, Ship, &[Reason::GoalsSignificantlyBetter]);
    let unclear = experiment(Fixed, vec![goal("sales", &[(200, 1_000), (210, 1_000)])]);
    assert_decided(&unclear, Continue, &[Reason::FixedIntervalIncludesZero]);
}

#[test]
fn with_the_units_that_are_needed_the_same_lift_is_significant() {
    for test in [Fixed, Sequential] {
        let few = experiment(test, vec![goal("sales", &[(200, 1_000), (215, 1_000)])]);
        let needed = analyze(&few).decision.units_needed.unwrap();
        let times = (2_000 + needed) as f64 / 2_000.0;
        let more = |of: u64| (of as f64 * times).ceil() as u64;
        let many = goal("sales", &[(more(200), more(1_000)), (more(215), more(1_000))]);
        assert_decided(&experiment(test, vec![many]), Ship, &[Reason::GoalsSignificantlyBetter]);
    }
}

#[test]
fn harm_stops_whatever_is_won_unless_it_does_not_matter() {
    let harmed = [(500, 10_000), (700, 10_000)];
    let with = |guardrail| experiment(Auto, vec![goal("sales", &WON), guardrail]);
    assert_decided(&with(guardrail(None, &harmed)), StopGuardrail, &[Reason::GuardrailSignificantlyWorse]);
    assert_decided(&with(guardrail(Some(0.1), &harmed)), StopGuardrail, &[Reason::GuardrailSignificantlyWorse]);
    assert_decided(&with(guardrail(Some(1.0), &harmed)), Ship, &[Reason::GoalsSignificantlyBetter]);
    // Fewer errors are no harm.
    assert_decided(&with(guardrail(None, &[harmed[1], harmed[0]])), Ship, &[Reason::GoalsSignificantlyBetter]);
    let worse = goal("sales", &[WON[1], WON[0]]);
    assert_decided(&experiment(Auto, vec![worse]), StopGuardrail, &[Reason::GoalSignificantlyWorse]);
}

#[test]
fn a_guardrail_with_a_margin_has_to_rule_more_harm_out() {
    let with = |margin| experiment(Auto, vec![goal("sales", &WON), guardrail(margin, &[(500, 10_000), (510, 10_000)])]);
    assert_decided(&with(None), Ship, &[Reason::GoalsSignificantlyBetter]);
    assert_decided(&with(Some(0.05)), Continue, &[Reason::GuardrailUncertain]);
    assert_decided(&with(Some(0.5)), Ship, &[Reason::GoalsSignificantlyBetter]);
}

#[test]
fn what_has_no_effect_that_matters_is_stopped() {
    assert_decided(&experiment(Auto, vec![goal("sales", &SAME)]), StopNoEffect, &[Reason::EffectBelowMinimum]);
    let mut fine = experiment(Auto, vec![goal("sales", &SAME)]);
    fine.settings.minimum_effect = 0.001;
    assert_decided(&fine, Continue, &[Reason::SequentialIntervalIncludesZero]);
    let own = Metric { minimum_effect: Some(0.02), ..goal("sales", &SAME) };
    fine.metrics = vec![own];
    assert_decided(&fine, StopNoEffect, &[Reason::EffectBelowMinimum]);
}

#[test]
fn every_goal_is_won_or_does_not_matter() {
    let unclear = [(400_000, 2_000_000), (402_000, 2_000_000)];
    let (won, same, unclear) =
        (goal("a", &[(400_000, 2_000_000), (420_000, 2_000_000)]), goal("b", &SAME), goal("c", &unclear));
    assert_decided(&experiment(Auto, vec![won.clone(), same]), Ship, &[Reason::GoalsSignificantlyBetter]);
    let analysis =
        assert_decided(&experiment(Auto, vec![won, unclear]), Continue, &[Reason::SequentialIntervalIncludesZero]);
    assert!(analysis.decision.units_needed.is_some());
}

#[test]
fn units_that_did_not_come_as_planned_put_everything_in_doubt() {
    let mismatched = experiment(Auto, vec![goal("sales", &[(2_000, 10_000), (2_700, 11_000)])]);
    assert_decided(&mismatched, Quarantine, &[Reason::SampleRatioMismatch]);
    let mut planned = mismatched;
    (planned.arms[0].weight, planned.arms[1].weight) = (10.0, 11.0);
    assert_decided(&planned, Ship, &[Reason::GoalsSignificantlyBetter]);
    // Below a hundred exposures nothing is said.
    let few = experiment(Fixed, vec![goal("sales", &[(10, 20), (30, 70)])]);
    let health = analyze(&few).health.srm.unwrap();
    assert!(health.p_value < 0.001 && !health.alarm, "{health:?}");
}

#[test]
fn among_many_tests_one_has_to_be_clearer() {
    let lucky = goal("lucky", &[(2_000, 10_000), (2_120, 10_000)]);
    let others = (0..9).map(|index| goal(&index.to_string(), &[(2_000, 10_000), (2_000, 10_000)]));
    let mut many = experiment(Fixed, std::iter::once(lucky).chain(others).collect());
    let reasons = [Reason::FixedIntervalIncludesZero, Reason::NotSignificantAfterCorrection];
    assert_decided(&many, Continue, &reasons);
    let p_of = |experiment: &Experiment| match &analyze(experiment).metrics[0].variants[1] {
        Variant::Compared(compared) => (compared.p_value.unwrap(), compared.p_value_adjusted.unwrap()),
        Variant::Alone(_) => panic!("it is compared"),
    };
    let (p, adjusted) = p_of(&many);
    assert!((adjusted / p - 10.0).abs() < 1e-9, "{p} {adjusted}");
    for (scope, correction) in [(CorrectionScope::Metric, Correction::Holm), (CorrectionScope::All, Correction::None)] {
        (many.settings.correction_scope, many.settings.correction) = (scope, correction);
        assert_eq!(p_of(&many).0, p_of(&many).1);
        assert_decided(&many, Continue, &[Reason::FixedIntervalIncludesZero]);
    }
    many.settings.correction_scope = CorrectionScope::Variant;
    many.settings.correction = Correction::Holm;
    assert!((p_of(&many).1 / p - 10.0).abs() < 1e-9);
}

#[test]
fn few_units_are_no_ground_to_ship_or_to_stop() {
    let few = experiment(Fixed, vec![goal("sales", &[(0, 9), (8, 9)])]);
    let analysis = assert_decided(&few, Continue, &[Reason::SmallSample]);
    assert!(analysis.decision.units_needed.unwrap() > 0);
    let Variant::Compared(compared) = &analysis.metrics[0].variants[1] else { panic!("it is compared") };
    assert!(compared.notes.contains(&Note::SmallSample));
    assert!(compared.p_value_adjusted.unwrap() < 0.001);
}

/// An arm of few units in which nobody converted yet says little, one of many says all.
#[test]
fn an_arm_without_conversions_is_harmed_only_when_there_should_have_been_some() {
    let canary = |test, rates: [(u64, u64); 2]| {
        let mut canary = experiment(test, vec![goal("sales", &rates)]);
        (canary.arms[0].weight, canary.arms[1].weight) = (rates[0].1 as f64, rates[1].1 as f64);
        canary
    };
    for test in [Auto, Fixed] {
        assert_decided(&canary(test, [(100, 1_000), (0, 10)]), Continue, &[Reason::SmallSample]);
        assert_decided(&canary(test, [(1_000, 10_000), (0, 15)]), Continue, &[Reason::SmallSample]);
        // Nothing rules out that it is better: 0 of 20 may be 16 %.
        assert_decided(&canary(test, [(5, 263), (0, 20)]), Continue, &[Reason::SmallSample]);
        assert_decided(&canary(test, [(100, 1_000), (0, 1_000)]), StopGuardrail, &[Reason::GoalSignificantlyWorse]);
        assert_decided(&canary(test, [(100, 1_000), (1_000, 1_000)]), Ship, &[Reason::GoalsSignificantlyBetter]);
    }
    let skewed = |n: u64, part: f64| {
        Observed::mean(n as f64 * part * 10.0, Sample { n, mean: part * 10.0, variance: part * (1.0 - part) * 100.0 })
    };
    let mut canary = experiment(Auto, vec![metric("revenue", &[skewed(1_000, 0.1), skewed(50, 0.0)])]);
    (canary.arms[0].weight, canary.arms[1].weight) = (1_000.0, 50.0);
    assert_decided(&canary, Continue, &[Reason::SmallSample]);
}

/// 300 experiments without a difference, of which a hundredth of the units come to the variant.
#[test]
fn a_small_arm_is_not_called_harmed_or_better_by_luck() {
    let mut random = fastrand::Rng::with_seed(99);
    let (mut found, mut rates) = (0, [(0_u64, 0_u64); 2]);
    for _ in 0..300 {
        rates = rates.map(|_| (0, 0));
        for _ in 0..50 {
            for ((sum, units), more) in rates.iter_mut().zip([990, 10]) {
                *units += more;
                *sum += (0..more).filter(|_| random.u32(..10) == 0).count() as u64;
            }
            let mut canary = experiment(Auto, vec![goal("any", &rates)]);
            (canary.arms[0].weight, canary.arms[1].weight) = (0.99, 0.01);
            if matches!(analyze(&canary).decision.code, Ship | StopGuardrail | StopNoEffect) {
                found += 1;
                break;
            }
        }
    }
    assert!(found <= 15, "{found} of 300");
}

#[test]
fn of_several_variants_the_best_is_shipped_and_harm_stops_before_waiting() {
    let three = |b, c| experiment(Auto, vec![goal("sales", &[WON[0], b, c])]);
    let (won, better, lost, unclear) = (WON[1], (2_600, 10_000), (1_600, 10_000), (2_050, 10_000));
    let analysis = assert_decided(&three(won, better), Ship, &[Reason::GoalsSignificantlyBetter]);
    assert_eq!(analysis.decision.variant.as_deref(), Some("C"));
    let analysis = assert_decided(&three(won, lost), Ship, &[Reason::GoalsSignificantlyBetter]);
    let codes: Vec<DecisionCode> = analysis.decision.variants.iter().map(|variant| variant.code).collect();
    assert_eq!((analysis.decision.variant.as_deref(), codes.as_slice()), (Some("B"), [Ship, StopGuardrail].as_slice()));
    assert_decided(&three(lost, unclear), StopGuardrail, &[Reason::GoalSignificantlyWorse]);
    assert_decided(&three(unclear, unclear), Continue, &[Reason::SequentialIntervalIncludesZero]);
}

#[test]
fn what_cannot_be_tested_is_told() {
    let guarded = experiment(Auto, vec![guardrail(None, &[(500, 10_000), (510, 10_000)])]);
    assert_decided(&guarded, Continue, &[Reason::NoGoal]);
    let empty = experiment(Auto, vec![goal("sales", &[(500, 10_000), (0, 0)])]);
    // No unit came to it at all.
    assert_decided(&empty, Quarantine, &[Reason::SampleRatioMismatch]);
    let empty = experiment(Auto, vec![goal("sales", &[(5, 40), (0, 0)])]);
    let analysis = assert_decided(&empty, Continue, &[Reason::NoData]);
    let Variant::Compared(compared) = &analysis.metrics[0].variants[1] else { panic!("it is compared") };
    assert_eq!(
        (compared.notes.as_slice(), compared.measured.value, compared.p_value),
        ([Note::EmptyArm].as_slice(), None, None)
    );
    let mut held = experiment(Auto, vec![goal("sales", &[WON[0], WON[1], (9, 90)])]);
    held.arms[2].weight = 0.0;
    let analysis = assert_decided(&held, Ship, &[Reason::GoalsSignificantlyBetter]);
    let Variant::Alone(alone) = &analysis.metrics[0].variants[2] else { panic!("it is held out") };
    assert_eq!((alone.notes.as_slice(), alone.measured.value), ([Note::Holdout].as_slice(), Some(0.1)));
    held.arms[1].weight = 0.0;
    assert_decided(&held, Continue, &[Reason::NoData]);
}

/// 400 experiments without a difference, each looked at 50 times, and stopped at the first look that says so.
#[test]
fn without_a_difference_hardly_anything_is_shipped_or_does_harm_however_often_one_looks() {
    let mut random = fastrand::Rng::with_seed(17);
    let (mut shipped, mut stopped) = (0, 0);
    for _ in 0..400 {
        let mut rates = [(0, 0); 2];
        for _ in 0..50 {
            rates = rates.map(|(sum, units)| (sum + u64::from(random.u64(..).count_ones()), units + 64));
            match analyze(&experiment(Auto, vec![goal("any", &rates)])).decision.code {
                Ship => shipped += 1,
                StopGuardrail => stopped += 1,
                _ => continue,
            }
            break;
        }
    }
    assert!(shipped + stopped <= 20, "{shipped} shipped, {stopped} stopped");
}

fn observed() -> impl Strategy<Value = Observed> {
    let values = prop::collection::vec(-1_000_000_i64..1_000_000, 0..40);
    let mean = (values, 0..4_i32).prop_map(|(values, power)| {
        let scale = 10_f64.powi(15 * power - 30);
        let sums = [1, 2].map(|power| values.iter().map(|value| (*value as f64 * scale).powi(power)).sum::<f64>());
        let sums = Sums { n: values.len() as u64, sum: sums[0].into(), squares: sums[1].into() };
        sums.sample().ok().flatten().map_or(Observed::EMPTY, |sample| Observed::mean(sums.sum.value(), sample))
    });
    let flat =
        (0_u64..5, -1e100..1e100_f64).prop_map(|(n, mean)| Observed::mean(mean, Sample { n, mean, variance: 0.0 }));
    let proportion = (0_u64..2_000_000, 0.0..=1.0_f64)
        .prop_map(|(units, part)| Observed::proportion((units as f64 * part) as u64, units));
    prop_oneof![mean, flat, proportion]
}

proptest! {
    #[test]
    fn whatever_was_observed_every_number_is_one(
        observed in prop::collection::vec(observed(), 2..4), is_sequential in any::<bool>(), alpha in 0.0001..0.5_f64,
    ) {
        let test = if is_sequential { Sequential } else { Fixed };
        let mut experiment = experiment(test, vec![metric("any", &observed)]);
        experiment.settings.alpha = alpha;
        let analysis = analyze(&experiment);
        // Debug shows what JSON would hide as null.
        let shown = format!("{analysis:?}");
        prop_assert!(!shown.contains("NaN") && !shown.contains("inf"), "{shown}");
        prop_assert!(!shown.contains("p_value: Some(0.0)") && !shown.contains("p_value: 0.0,"), "{shown}");
        prop_assert_eq!(analysis, analyze(&experiment));
    }

    #[test]
    fn baseline_and_variant_in_each_others_place_win_and_lose(
        one in 50_u64..950, other in 50_u64..950,
    ) {
        let decide = |rates: &[(u64, u64)]| analyze(&experiment(Auto, vec![goal("any", rates)])).decision.code;
        let (there, back) = (decide(&[(one, 1_000), (other, 1_000)]), decide(&[(other, 1_000), (one, 1_000)]));
        prop_assert_eq!(there == Ship, back == StopGuardrail);
        prop_assert_eq!(there == StopGuardrail, back == Ship);
    }
}
