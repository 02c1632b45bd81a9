//! Quantiles of samples.

use super::distributions::z_quantile;
use super::{Difference, PValue};

/// A quantile of a sample, with the order statistics that bound it ([`quantile_levels`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileEstimate {
    pub value: f64,
    /// That leaves out the alpha that its levels were asked for by.
    pub interval: [f64; 2],
}

/// The levels whose quantiles bound the quantile at `level` of a sample of `n`, leaving `alpha` out:
/// q ± z·√(q(1−q)/n), within 0 and 1. How many values lie below the true quantile is binomial.
///
/// Source: Conover 1999, Practical Nonparametric Statistics, 3.2.
pub fn quantile_levels(level: f64, n: u64, alpha: f64) -> [f64; 2] {
    let half = z_quantile(alpha) * (level * (1.0 - level) / n.max(1) as f64).sqrt();
    [(level - half).max(0.0), (level + half).min(1.0)]
}

/// The difference of two quantiles whose intervals leave `alpha` out, with one that does: each one's standard error
/// is its interval's width ÷ 2z, and the difference is about normal.
///
/// Source: Price and Bonett 2002, Journal of Statistical Computation and Simulation 72:119.
pub fn quantile_difference(baseline: QuantileEstimate, candidate: QuantileEstimate, alpha: f64) -> Difference {
    let z = z_quantile(alpha);
    let error_of = |estimate: QuantileEstimate| (estimate.interval[1] - estimate.interval[0]) / (2.0 * z);
    let value = candidate.value - baseline.value;
    let error = error_of(baseline).hypot(error_of(candidate));
    let half = z * error;
    let p = if error > 0.0 { PValue::of_z(value / error) } else { PValue::ONE };
    Difference { value, standard_error: error, interval: [value - half, value + half], p }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantile(sorted: &[f64], level: f64) -> f64 {
        sorted[((sorted.len() - 1) as f64 * level).round() as usize]
    }

    #[test]
    fn levels_lie_about_the_quantile_and_within_the_sample() {
        let [lower, upper] = quantile_levels(0.95, 1_000, 0.05);
        assert!((lower - 0.936_49).abs() < 1e-5 && (upper - 0.963_51).abs() < 1e-5, "{lower} {upper}");
        assert_eq!(quantile_levels(0.95, 4, 0.05)[1], 1.0);
        assert_eq!(quantile_levels(0.5, 0, 0.05), [0.0, 1.0]);
    }

    /// Without a difference, one is found in about one of twenty cases; with one, it is found.
    #[test]
    fn a_difference_is_found_as_often_as_is_said() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut estimate = |scale: f64| {
            let mut values: Vec<f64> = (0..2_000).map(|_| -random.f64().ln() * scale).collect();
            values.sort_by(f64::total_cmp);
            let interval = quantile_levels(0.95, 2_000, 0.05).map(|level| quantile(&values, level));
            QuantileEstimate { value: quantile(&values, 0.95), interval }
        };
        let mut found = |scale: f64| {
            (0..400).filter(|_| quantile_difference(estimate(100.0), estimate(scale), 0.05).p.value < 0.05).count()
        };
        let (without, with) = (found(100.0), found(130.0));
        assert!((5..=40).contains(&without), "{without} of 400");
        assert!(with > 350, "{with} of 400");
    }
}
