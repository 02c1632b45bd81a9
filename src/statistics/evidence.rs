//! How much there is to go by: what is computed of samples as if their means were normal, of few units is not.

use super::{Proportion, Sample};

/// How many units of either sample would tell something if both were alike; a fraction of one is possible.
pub trait Evidence: Sized {
    fn evidence(baseline: Self, candidate: Self) -> f64;
}

impl Evidence for Proportion {
    /// min(n_C, n_T) · min(p, 1 − p) with p of both together: the fewest successes or failures to be expected, which
    /// Cochran 1954, Biometrics 10:417, wants to be 5 for one test.
    fn evidence(baseline: Self, candidate: Self) -> f64 {
        let trials = baseline.trials as f64 + candidate.trials as f64;
        if trials == 0.0 {
            return 0.0;
        }
        let p = (baseline.successes as f64 + candidate.successes as f64) / trials;
        baseline.trials.min(candidate.trials) as f64 * p.min(1.0 - p)
    }
}

impl Evidence for Sample {
    /// min(n_C, n_T) · μ² ÷ E\[y²\] of both together: of as many units as are alike all of them, of ones among zeros
    /// the ones, and where a few make most of the sum about those few.
    fn evidence(baseline: Self, candidate: Self) -> f64 {
        let units = baseline.n as f64 + candidate.n as f64;
        let together =
            |of: fn(&Self) -> f64| (baseline.n as f64 * of(&baseline) + candidate.n as f64 * of(&candidate)) / units;
        let squares = together(|sample| sample.variance + sample.mean * sample.mean);
        if units == 0.0 || squares <= 0.0 {
            return 0.0;
        }
        // First divided: squares of large numbers leave the range of numbers.
        let of_mean = together(|sample| sample.mean) / squares.sqrt();
        baseline.n.min(candidate.n) as f64 * of_mean * of_mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_that_are_expected_of_either_kind() {
        let of = |successes, trials| Proportion { successes, trials };
        assert!((Proportion::evidence(of(100, 1_000), of(0, 10)) - 0.990_099).abs() < 1e-6);
        assert!((Proportion::evidence(of(100, 1_000), of(0, 1_000)) - 50.0).abs() < 1e-9);
        assert!((Proportion::evidence(of(990, 1_000), of(1_000, 1_000)) - 5.0).abs() < 1e-9);
        assert_eq!(Proportion::evidence(of(0, 0), of(0, 0)), 0.0);
    }

    #[test]
    fn of_numbers_those_that_make_the_sum() {
        let of = |n, mean, variance| Sample { n, mean, variance };
        // Ones among zeros are conversions.
        let alike = Sample::evidence(of(1_000, 0.1, 0.09), of(10, 0.0, 0.0));
        assert!((alike - 0.990_099).abs() < 1e-6, "{alike}");
        assert!((Sample::evidence(of(50, 7.0, 0.0), of(80, 7.0, 0.0)) - 50.0).abs() < 1e-9);
        assert_eq!(Sample::evidence(of(50, 0.0, 0.0), of(80, 0.0, 0.0)), 0.0);
        assert!(Sample::evidence(of(50, 1e200, 1e300), of(80, 1e200, 1e300)).is_finite());
    }
}
