//! Whether units came to the arms as planned.

use statrs::function::gamma::ln_gamma;

use super::PValue;

/// Two tests of the counts of arms against their weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleRatio {
    pub chi_squared: f64,
    /// Arms with a weight − 1.
    pub freedom: u64,
    /// Of one look.
    pub p: PValue,
    /// Of as many looks as one likes.
    pub sequential: PValue,
}

/// How close to the weights the mixture of the sequential test keeps, as a number of units.
const CONCENTRATION: f64 = 10_000.0;
/// Planned parts below this are taken for it: χ² of units where none was planned would leave the range of numbers.
const SMALLEST_PART: f64 = 1e-100;

/// Tests counts against planned weights, each arm a pair; weights need not add up to 1. Arms of weight 0 or less are
/// left out. `None` with fewer than two others, or without a unit.
///
/// χ² = Σ (seen − expected)² ÷ expected, with one degree of freedom fewer than arms (Pearson 1900).
///
/// The sequential test is the multinomial one with a Dirichlet mixture about the weights: the likelihood of the counts
/// under Dirichlet(k·θ), k = 10,000, over that under the weights θ,
/// Γ(k)/Γ(k + n) · Π Γ(k·θᵢ + nᵢ)/Γ(k·θᵢ) · Π θᵢ^−nᵢ, is a martingale with mean 1 when the weights hold; 1 over it
/// is a p-value at any time.
///
/// Source: Lindon and Malek 2022, Anytime-Valid Inference for Multinomial Count Data, NeurIPS.
pub fn sample_ratio(arms: &[(u64, f64)]) -> Option<SampleRatio> {
    let arms: Vec<(f64, f64)> =
        arms.iter().filter(|(_, weight)| *weight > 0.0).map(|(count, weight)| (*count as f64, *weight)).collect();
    let units: f64 = arms.iter().map(|(count, _)| count).sum();
    // Relative to the largest, so that their sum is a number.
    let largest = arms.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
    let weights: f64 = arms.iter().map(|(_, weight)| weight / largest).sum();
    if arms.len() < 2 || units == 0.0 {
        return None;
    }
    let part = |weight: f64| (weight / largest / weights).max(SMALLEST_PART);
    let chi_squared = arms.iter().map(|(count, weight)| {
        let expected = units * part(*weight);
        (count - expected).powi(2) / expected
    });
    let (chi_squared, freedom) = (chi_squared.sum(), arms.len() as u64 - 1);
    let of_arm = |(count, weight): &(f64, f64)| {
        let share = part(*weight);
        let prior = CONCENTRATION * share;
        ln_gamma(prior + count) - ln_gamma(prior) - count * share.ln()
    };
    let log: f64 = ln_gamma(CONCENTRATION) - ln_gamma(CONCENTRATION + units) + arms.iter().map(of_arm).sum::<f64>();
    let p = PValue::of_chi_squared(chi_squared, freedom);
    Some(SampleRatio { chi_squared, freedom, p, sequential: PValue::of_logarithm(-log) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_of_one_look_has_the_numbers_of_growthbook() {
        for (arms, wanted) in [
            (vec![(1_000, 0.5), (1_200, 0.5)], 0.000_020_079),
            (vec![(1_000, 0.5), (1_200, 0.5), (900, 0.0)], 0.000_020_079),
            (vec![(1_000, 50.0), (1_200, 50.0)], 0.000_020_079),
            (vec![(0, 0.34), (10, 0.33), (10, 0.33)], 0.005_790_624),
        ] {
            let p = sample_ratio(&arms).unwrap().p;
            assert!((p.value - wanted).abs() < 5e-10, "{p:?}, not {wanted}");
        }
        assert_eq!(sample_ratio(&[(10, 1.0), (5, 0.0)]), None);
        assert_eq!(sample_ratio(&[(0, 0.5), (0, 0.5)]), None);
        assert_eq!(sample_ratio(&[(50, 0.5), (50, 0.5)]).unwrap().p, PValue::ONE);
    }

    #[test]
    fn weights_of_any_size_leave_the_range_of_numbers_nowhere() {
        for weights in [[1e-320, 1.0], [f64::MIN_POSITIVE, f64::MAX], [f64::MAX, f64::MAX], [1.0, 1.0]] {
            for counts in [[0, 7], [7, 0], [u64::MAX, 1], [3, u64::MAX]] {
                let ratio = sample_ratio(&[(counts[0], weights[0]), (counts[1], weights[1])]).unwrap();
                let told =
                    [ratio.chi_squared, ratio.p.value, ratio.p.log10, ratio.sequential.value, ratio.sequential.log10];
                assert!(told.iter().all(|number| number.is_finite()), "{weights:?} {counts:?} {ratio:?}");
            }
        }
        assert_eq!(sample_ratio(&[(50, f64::MAX), (50, f64::MAX)]).unwrap().p, PValue::ONE);
    }

    #[test]
    fn the_test_of_many_looks_is_the_likelihood_of_units_one_after_the_other() {
        // The same mixture as a product: the i-th unit is of an arm with (k·θ + seen) ÷ (k + i).
        let (weights, mut seen, mut log) = ([0.3, 0.7], [0_u64; 2], 0.0_f64);
        let mut random = fastrand::Rng::with_seed(3);
        for index in 0..2_000 {
            let arm = usize::from(random.f64() < 0.6);
            let predicted = (CONCENTRATION * weights[arm] + seen[arm] as f64) / (CONCENTRATION + f64::from(index));
            log += (predicted / weights[arm]).ln();
            seen[arm] += 1;
        }
        let p = sample_ratio(&[(seen[0], 0.3), (seen[1], 0.7)]).unwrap().sequential;
        assert!((p.log10 + log / std::f64::consts::LN_10).abs() < 1e-6, "{p:?}, not {log}");
        assert!(p.value < 0.001, "{p:?}");
    }

    /// 1,000 experiments as planned, each looked at 100 times.
    #[test]
    fn looking_daily_raises_no_more_alarms_than_promised_and_a_mismatch_does() {
        let mut random = fastrand::Rng::with_seed(11);
        let mut ever = |mask: u64| {
            let is_ever = |_: &i32| {
                let mut counts = [0_u64; 2];
                (0..100).fold(false, |found, _| {
                    // 128 units, each in the first arm with a half, or less under a mask.
                    let first = u64::from(random.u64(..).count_ones() + (random.u64(..) & mask).count_ones());
                    counts = [counts[0] + first, counts[1] + 128 - first];
                    found | (sample_ratio(&[(counts[0], 0.5), (counts[1], 0.5)]).unwrap().sequential.value < 0.05)
                })
            };
            (0..1_000).filter(is_ever).count()
        };
        let (planned, mismatched) = (ever(u64::MAX), ever(u64::MAX << 8));
        assert!(planned <= 50, "{planned} of 1,000");
        assert!(mismatched > 900, "{mismatched} of 1,000");
    }
}
