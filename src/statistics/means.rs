//! Means of samples.

use super::distributions::t_quantile;
use super::{Difference, Lift};

/// A sample by its size, mean and variance, which is s² with n − 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub n: u64,
    pub mean: f64,
    pub variance: f64,
}

impl Sample {
    /// s²/n; `None` with fewer than two values.
    pub fn variance_of_mean(self) -> Option<f64> {
        (self.n >= 2).then(|| self.variance.max(0.0) / self.n as f64)
    }
}

/// The interval of a mean that leaves `alpha` out: μ ± t·√(s²/n). `None` with fewer than two values.
pub fn mean_interval(sample: Sample, alpha: f64) -> Option<[f64; 2]> {
    let error = sample.variance_of_mean()?.sqrt();
    let half = t_quantile(alpha, (sample.n - 1) as f64) * error;
    Some([sample.mean - half, sample.mean + half])
}

/// The difference of two means, by Welch's t-test. `None` when a sample has fewer than two values.
pub fn welch(baseline: Sample, candidate: Sample, alpha: f64) -> Option<Difference> {
    Some(Lift::absolute(baseline, candidate)?.difference(alpha))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::PValue;

    #[test]
    fn the_interval_of_a_mean_is_that_of_scipy() {
        // scipy.stats.t.interval(0.95, 9, 5, (4 / 10) ** 0.5)
        let sample = Sample { n: 10, mean: 5.0, variance: 4.0 };
        let [lower, upper] = mean_interval(sample, 0.05).unwrap();
        assert!((lower - 3.569_286_5).abs() < 1e-6 && (upper - 6.430_713_5).abs() < 1e-6, "{lower} {upper}");
        // scipy.stats.t.interval(0.99, 9, 5, (4 / 10) ** 0.5)
        let [lower, upper] = mean_interval(sample, 0.01).unwrap();
        assert!((lower - 2.944_623_5).abs() < 1e-6 && (upper - 7.055_376_5).abs() < 1e-6, "{lower} {upper}");
        assert_eq!(mean_interval(Sample { n: 1, ..sample }, 0.05), None);
        assert_eq!(mean_interval(Sample { n: 0, ..sample }, 0.05), None);
    }

    #[test]
    fn samples_that_do_not_vary_are_the_same_or_differ_for_certain() {
        let sample = |mean| Sample { n: 10, mean, variance: 0.0 };
        assert_eq!(welch(sample(1.0), sample(1.0), 0.05).unwrap().p, PValue::ONE);
        let differ = welch(sample(1.0), sample(2.0), 0.05).unwrap();
        assert!(differ.p.value > 0.0 && differ.p.value < 1e-300 && differ.p.log10.is_finite(), "{differ:?}");
        assert_eq!(welch(Sample { n: 1, ..sample(1.0) }, sample(2.0), 0.05), None);
    }
}
