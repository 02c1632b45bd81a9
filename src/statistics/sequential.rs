//! Tests that may be looked at as often as one likes.

use super::{Lift, PValue};

/// What may be said of a lift at any time, of all looks together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sequence {
    /// Of all looks, the intervals of a fraction 1 − alpha of experiments always have the true lift.
    pub interval: [f64; 2],
    pub p: PValue,
}

/// The asymptotic confidence sequence of a lift at this look. `None` when neither sample varies: it is of normal
/// samples, and says nothing about those.
///
/// With N units of both samples, ρ = √((−2·ln α + ln(−2·ln α + 1))/N*) makes it the narrowest at N = N* units
/// (`tuning`). It reaches SE·√N·√(2(Nρ² + 1)/(N²ρ²)·ln(√(Nρ² + 1)/α)) to each side, and
/// p = √(Nρ² + 1)·exp(−ρ²S²/(2(Nρ² + 1))) with S² = lift²·N/SE², 1 at the most.
///
/// Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2021, arXiv 2103.06476, equations 9, 155 and 161, as
/// GrowthBook uses it.
pub fn confidence_sequence(lift: Lift, alpha: f64, tuning: f64) -> Option<Sequence> {
    if lift.standard_error <= 0.0 {
        return None;
    }
    let n = lift.units;
    let log = -2.0 * alpha.ln();
    let nrho2 = n * (log + log.ln_1p()) / tuning;
    let half = lift.standard_error * half_width(nrho2, alpha);
    let score2 = (lift.value / lift.standard_error).powi(2);
    let p = PValue::of_logarithm(0.5 * nrho2.ln_1p() - nrho2 * score2 / (2.0 * (nrho2 + 1.0)));
    Some(Sequence { interval: [lift.value - half, lift.value + half], p })
}

/// How many standard errors it reaches to each side, with Nρ².
fn half_width(nrho2: f64, alpha: f64) -> f64 {
    (2.0 * (nrho2 + 1.0) / nrho2 * (0.5 * nrho2.ln_1p() - alpha.ln())).sqrt()
}

/// The same for `units` of both samples.
pub(super) fn sequential_half_width(units: f64, alpha: f64, tuning: f64) -> f64 {
    let log = -2.0 * alpha.ln();
    half_width(units * (log + log.ln_1p()) / tuning, alpha)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{Proportion, Z_95, two_proportions};

    const TUNING: f64 = 5_000.0;

    fn samples(c: (u64, u64), t: (u64, u64)) -> [crate::statistics::Sample; 2] {
        [c, t].map(|(successes, trials)| Proportion { successes, trials }.sample().unwrap())
    }

    #[test]
    fn a_sequence_has_the_numbers_of_gbstats() {
        let [baseline, candidate] = samples((1_396, 3_000), (2_422, 3_461));
        let lift = Lift::relative(baseline, candidate).unwrap();
        let Sequence { interval, p } = confidence_sequence(lift, 0.05, TUNING).unwrap();
        assert!((lift.value - 0.503_86).abs() < 5.1e-6 && (lift.standard_error - 0.033_86).abs() < 5.1e-6, "{lift:?}");
        assert!((interval[0] - 0.400_98).abs() < 5.1e-6 && (interval[1] - 0.606_75).abs() < 5.1e-6, "{interval:?}");
        assert!((p.value / 5.17e-44 - 1.0).abs() < 1e-3, "{p:?}");

        let [baseline, candidate] = samples((200, 1_000), (250, 1_000));
        let lift = Lift::absolute(baseline, candidate).unwrap();
        let Sequence { interval, p } = confidence_sequence(lift, 0.05, TUNING).unwrap();
        assert!((interval[0] + 0.008_231_465_3).abs() < 1e-9, "{interval:?}");
        assert!((interval[1] - 0.108_231_465_3).abs() < 1e-9, "{interval:?}");
        assert!((p.value - 0.132_531_844_8).abs() < 1e-9, "{p:?}");
    }

    #[test]
    fn the_interval_excludes_0_just_when_p_is_below_alpha() {
        for candidate in 100..400 {
            let [baseline, candidate] = samples((200, 1_000), (candidate, 1_000));
            let lift = Lift::absolute(baseline, candidate).unwrap();
            for alpha in [0.2, 0.05, 0.001] {
                let Sequence { interval, p } = confidence_sequence(lift, alpha, TUNING).unwrap();
                assert_eq!(interval[0] > 0.0 || interval[1] < 0.0, p.value < alpha, "{interval:?} {p:?}");
            }
        }
    }

    #[test]
    fn far_out_there_is_still_a_logarithm_and_without_variance_nothing_is_said() {
        let [baseline, candidate] = samples((1, 100_000), (99_999, 100_000));
        let p = confidence_sequence(Lift::absolute(baseline, candidate).unwrap(), 0.05, TUNING).unwrap().p;
        assert!(p.value > 0.0 && p.log10 < -1e6, "{p:?}");
        let [baseline, candidate] = samples((0, 3), (3, 3));
        assert_eq!(confidence_sequence(Lift::absolute(baseline, candidate).unwrap(), 0.05, TUNING), None);
    }

    /// 2,000 experiments without a difference, each looked at 100 times: the fixed test finds one in more than a
    /// quarter of them, the sequence in no more than it promises.
    #[test]
    fn looking_often_fools_the_fixed_test_and_not_the_sequence() {
        const RUNS: usize = 2_000;
        let mut random = fastrand::Rng::with_seed(20_260);
        let (mut fixed, mut sequential) = (0, 0);
        for _ in 0..RUNS {
            let (mut sums, mut trials, mut found) = ([0_u64; 2], 0, [false; 2]);
            for _ in 0..100 {
                // The ones of 64 random bits: 64 units, half of whom succeed.
                sums = sums.map(|sum| sum + u64::from(random.u64(..).count_ones()));
                trials += 64;
                let [baseline, candidate] = sums.map(|successes| Proportion { successes, trials });
                found[0] |= two_proportions(baseline, candidate, 0.05).unwrap().p.value < 0.05;
                let lift = Lift::absolute(baseline.sample().unwrap(), candidate.sample().unwrap()).unwrap();
                found[1] |= confidence_sequence(lift, 0.05, TUNING).unwrap().p.value < 0.05;
            }
            fixed += usize::from(found[0]);
            sequential += usize::from(found[1]);
        }
        let (fixed, sequential) = (fixed as f64 / RUNS as f64, sequential as f64 / RUNS as f64);
        assert!(fixed > 0.25 && sequential <= 0.05, "fixed {fixed}, sequential {sequential}");
        assert!(Z_95 < sequential_half_width(12_800.0, 0.05, TUNING));
    }
}
