//! Proportions: successes of trials.

use super::distributions::z_quantile;
use super::{Difference, PValue, Sample};

/// Successes of trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    pub successes: u64,
    pub trials: u64,
}

impl Proportion {
    /// 0 to 1; `None` without trials, and where there are more successes than trials.
    pub fn value(self) -> Option<f64> {
        (self.trials > 0 && self.successes <= self.trials).then(|| self.successes as f64 / self.trials as f64)
    }

    /// As a sample of zeros and ones, with the variance p(1−p).
    pub fn sample(self) -> Option<Sample> {
        self.value().map(|p| Sample { n: self.trials, mean: p, variance: p * (1.0 - p) })
    }
}

/// Wilson's score interval of a proportion that leaves `alpha` out: [lower, upper], each a ratio 0–1.
///
/// (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) ÷ (1 + z²/n). `None` without a sample, and where there are
/// more successes than trials, which is no proportion.
///
/// Source: Wilson 1927; reference numbers from Newcombe 1998, Statistics in Medicine 17:857.
pub fn wilson_interval(successes: u64, trials: u64, alpha: f64) -> Option<[f64; 2]> {
    let p = Proportion { successes, trials }.value()?;
    let n = trials as f64;
    let z = z_quantile(alpha);
    let z2 = z * z;
    let middle = p + z2 / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // At the ends the formula gives exactly 0 and 1, but for rounding.
    let lower = if successes == 0 { 0.0 } else { (middle - half) / scale };
    let upper = if successes == trials { 1.0 } else { (middle + half) / scale };
    Some([lower, upper])
}

/// The difference of two proportions: the pooled z-test, and Newcombe's hybrid score interval that leaves `alpha` out.
/// The standard error is unpooled, √(p₁(1−p₁)/n₁ + p₂(1−p₂)/n₂).
///
/// z = (p₂ − p₁) ÷ √(p(1−p)(1/n₁ + 1/n₂)) with p of both together. The interval is built of Wilson's:
/// d − √((p₂−l₂)² + (u₁−p₁)²) to d + √((u₂−p₂)² + (p₁−l₁)²). `None` when one of them is no proportion.
///
/// Source: Newcombe 1998, Statistics in Medicine 17:873, method 10.
pub fn two_proportions(baseline: Proportion, candidate: Proportion, alpha: f64) -> Option<Difference> {
    let (p1, p2) = (baseline.value()?, candidate.value()?);
    let (n1, n2) = (baseline.trials as f64, candidate.trials as f64);
    let [l1, u1] = wilson_interval(baseline.successes, baseline.trials, alpha)?;
    let [l2, u2] = wilson_interval(candidate.successes, candidate.trials, alpha)?;
    let value = p2 - p1;
    let interval = [value - (p2 - l2).hypot(u1 - p1), value + (u2 - p2).hypot(p1 - l1)];
    let pooled = (baseline.successes as f64 + candidate.successes as f64) / (n1 + n2);
    let error = (pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2)).sqrt();
    // All or none in both: they do not differ.
    let p = if error > 0.0 { PValue::of_z(value / error) } else { PValue::ONE };
    let standard_error = (p1 * (1.0 - p1) / n1 + p2 * (1.0 - p2) / n2).sqrt();
    Some(Difference { value, standard_error, interval, p })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn assert_interval(interval: Option<[f64; 2]>, [lower, upper]: [f64; 2]) {
        let interval = interval.unwrap();
        assert!((interval[0] - lower).abs() < 1e-4 && (interval[1] - upper).abs() < 1e-4, "{interval:?}");
    }

    fn of(successes: u64, trials: u64) -> Proportion {
        Proportion { successes, trials }
    }

    #[test]
    fn wilson_interval_has_newcombes_numbers() {
        assert_interval(wilson_interval(81, 263, 0.05), [0.255_289, 0.366_210]);
        assert_interval(wilson_interval(0, 20, 0.05), [0.0, 0.161_125]);
        assert_interval(wilson_interval(20, 20, 0.05), [1.0 - 0.161_125, 1.0]);
    }

    #[test]
    fn without_a_proportion_there_is_no_interval() {
        assert_eq!(wilson_interval(0, 0, 0.05), None);
        assert_eq!(wilson_interval(2, 1, 0.05), None);
        assert_eq!(two_proportions(of(1, 2), of(0, 0), 0.05), None);
        assert_eq!(two_proportions(of(3, 2), of(1, 2), 0.05), None);
    }

    #[test]
    fn the_difference_of_two_has_newcombes_numbers() {
        let interval =
            |baseline, candidate| two_proportions(baseline, candidate, 0.05).map(|difference| difference.interval);
        assert_interval(interval(of(48, 80), of(56, 70)), [0.052_431, 0.333_873]);
        assert_interval(interval(of(0, 20), of(0, 10)), [-0.161_1, 0.277_5]);
    }

    #[test]
    fn the_pooled_test_has_the_numbers_of_statsmodels_and_scipy() {
        let p = |baseline, candidate| two_proportions(baseline, candidate, 0.05).unwrap().p.value;
        assert!((p(of(5, 83), of(12, 99)) - 0.159_181_291_812).abs() < 1e-11);
        assert!((p(of(200, 1_000), of(250, 1_000)) - 0.007_419_649_261).abs() < 1e-11);
        assert_eq!(p(of(0, 10), of(0, 20)), 1.0);
        assert!(p(of(0, 1_000_000), of(1_000_000, 1_000_000)) > 0.0);
    }

    proptest! {
        #[test]
        fn baseline_and_candidate_in_each_others_place_change_the_sign_alone(
            (n1, n2) in (1_u64..5_000, 1_u64..5_000), (a, b) in (0.0..=1.0_f64, 0.0..=1.0_f64), alpha in 0.001..0.5_f64,
        ) {
            let [one, other] = [(n1, a), (n2, b)].map(|(n, part)| of((n as f64 * part) as u64, n));
            let (there, back) = (two_proportions(one, other, alpha).unwrap(), two_proportions(other, one, alpha).unwrap());
            prop_assert_eq!(there.value, -back.value);
            prop_assert_eq!(there.p, back.p);
            prop_assert!((there.interval[0] + back.interval[1]).abs() < 1e-12 && there.interval[0] <= there.value);
            // The same of failures.
            let failed = |of: Proportion| Proportion { successes: of.trials - of.successes, ..of };
            let mirrored = two_proportions(failed(one), failed(other), alpha).unwrap();
            prop_assert!((there.p.log10 - mirrored.p.log10).abs() <= 1e-6 * there.p.log10.abs().max(1e-3));
            prop_assert!((there.interval[0] + mirrored.interval[1]).abs() < 1e-9);
        }

        #[test]
        fn the_less_is_left_out_the_wider_an_interval_is(n in 1_u64..5_000, part in 0.0..=1.0_f64) {
            let successes = (n as f64 * part) as u64;
            let [narrow, wide] = [0.1, 0.01].map(|alpha| wilson_interval(successes, n, alpha).unwrap());
            prop_assert!(wide[0] <= narrow[0] && narrow[1] <= wide[1] && wide[0] >= 0.0 && wide[1] <= 1.0);
        }
    }
}
