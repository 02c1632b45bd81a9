//! Means of samples.

use super::distributions::t_quantile;
use super::{ALPHA, Difference, PValue};

/// A sample by its size, mean and variance, which is s² with n − 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub n: u64,
    pub mean: f64,
    pub variance: f64,
}

/// The interval of a mean, 95 %: μ ± t·√(s²/n). `None` with fewer than two values.
pub fn mean_interval(sample: Sample) -> Option<[f64; 2]> {
    if sample.n < 2 {
        return None;
    }
    let half = t_quantile(ALPHA, (sample.n - 1) as f64) * (sample.variance.max(0.0) / sample.n as f64).sqrt();
    Some([sample.mean - half, sample.mean + half])
}

/// The difference of two means, by Welch's t-test; 95 %. `None` when a sample has fewer than two values.
///
/// t = (μ₂ − μ₁) ÷ √(s₁²/n₁ + s₂²/n₂), with Welch's and Satterthwaite's degrees of freedom.
///
/// Source: Welch 1947; reference numbers from GrowthBook's gbstats.
pub fn welch(baseline: Sample, candidate: Sample) -> Option<Difference> {
    if baseline.n < 2 || candidate.n < 2 {
        return None;
    }
    let value = candidate.mean - baseline.mean;
    let of_mean = |sample: Sample| sample.variance.max(0.0) / sample.n as f64;
    let (v1, v2) = (of_mean(baseline), of_mean(candidate));
    let error = (v1 + v2).sqrt();
    if error == 0.0 {
        // Neither varies: they are the same, or differ for certain.
        let p = if value == 0.0 { PValue::ONE } else { PValue::of_z(f64::MAX.sqrt()) };
        return Some(Difference { value, interval: [value, value], p });
    }
    let freedom = (v1 + v2).powi(2) / (v1 * v1 / (baseline.n - 1) as f64 + v2 * v2 / (candidate.n - 1) as f64);
    let half = t_quantile(ALPHA, freedom) * error;
    Some(Difference { value, interval: [value - half, value + half], p: PValue::of_t(value / error, freedom) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_sums(n: u64, sum: f64, sum_of_squares: f64) -> Sample {
        let mean = sum / n as f64;
        Sample { n, mean, variance: (sum_of_squares - sum * mean) / (n - 1) as f64 }
    }

    #[test]
    fn welch_has_the_numbers_of_gbstats() {
        let baseline = of_sums(3_407, 1_396.87, 52_377.976_7);
        let candidate = of_sums(3_461, 2_422.7, 134_698.29);
        let Difference { value, interval, p } = welch(baseline, candidate).unwrap();
        assert!((value - 0.29).abs() < 5e-6 && (p.value - 0.020_16).abs() < 5e-6, "{value} {p:?}");
        assert!((interval[0] - 0.045_38).abs() < 5e-6 && (interval[1] - 0.534_62).abs() < 5e-6, "{interval:?}");
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_scipy() {
        // scipy.stats.t.interval(0.95, 9, 5, (4 / 10) ** 0.5)
        let [lower, upper] = mean_interval(Sample { n: 10, mean: 5.0, variance: 4.0 }).unwrap();
        assert!((lower - 3.569_286_5).abs() < 1e-6 && (upper - 6.430_713_5).abs() < 1e-6, "{lower} {upper}");
        assert_eq!(mean_interval(Sample { n: 1, mean: 5.0, variance: 0.0 }), None);
    }

    #[test]
    fn samples_that_do_not_vary_are_the_same_or_differ_for_certain() {
        let sample = |mean| Sample { n: 10, mean, variance: 0.0 };
        assert_eq!(welch(sample(1.0), sample(1.0)).unwrap().p, PValue::ONE);
        let differ = welch(sample(1.0), sample(2.0)).unwrap();
        assert!(differ.p.value > 0.0 && differ.p.value < 1e-300 && differ.p.log10.is_finite(), "{differ:?}");
        assert_eq!(welch(Sample { n: 1, ..sample(1.0) }, sample(2.0)), None);
    }
}
