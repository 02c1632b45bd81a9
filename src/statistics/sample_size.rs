//! How many units an experiment takes.

use super::Lift;
use super::distributions::{t_quantile, z_quantile};
use super::sequential::sequential_half_width;

/// How sure an experiment is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assurance {
    /// How often a difference is found where there is none, two-sided.
    pub alpha: f64,
    /// How often one is found that there is.
    pub power: f64,
}

impl Assurance {
    /// What the quantiles of `power` are asked for by: they leave twice as much out as a side has.
    fn missed(self) -> f64 {
        2.0 * (1.0 - self.power)
    }
}

/// Units of each of two arms from which on the pooled z-test finds `baseline` and `candidate` apart, each a
/// proportion: (z_{α/2}·√(2p̄(1−p̄)) + z_β·√(p₁(1−p₁) + p₂(1−p₂)))² ÷ (p₂ − p₁)², rounded up.
/// `None` when there is nothing to find, or no whole number has them.
///
/// Source: Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, 4.14.
pub fn units_for_proportions(baseline: f64, candidate: f64, assurance: Assurance) -> Option<u64> {
    let mean = f64::midpoint(baseline, candidate);
    let of = |p: f64| p * (1.0 - p);
    let root = z_quantile(assurance.alpha) * (2.0 * of(mean)).sqrt()
        + z_quantile(assurance.missed()) * (of(baseline) + of(candidate)).sqrt();
    whole((root / (candidate - baseline)).powi(2))
}

/// Units of each of two arms from which on the t-test finds means apart that differ by `difference`, with the same
/// standard deviation: the least n that is at least 2σ²(t_{α/2} + t_β)² ÷ δ², t with 2n − 2 degrees of freedom.
/// `None` when there is nothing to find, or no whole number has them.
///
/// Source: Chow, Shao, Wang and Lokhnygina 2017, Sample Size Calculations in Clinical Research, 3.2.
pub fn units_for_means(standard_deviation: f64, difference: f64, assurance: Assurance) -> Option<u64> {
    let scale = 2.0 * (standard_deviation / difference).powi(2);
    let with =
        |quantile: &dyn Fn(f64) -> f64| scale * (quantile(assurance.alpha) + quantile(assurance.missed())).powi(2);
    let mut units = whole(with(&z_quantile))?.max(2);
    // t is wider than z, by less the more units there are: never beyond the least by more than a few.
    while (units as f64) < with(&|alpha| t_quantile(alpha, 2.0 * units as f64 - 2.0)) {
        units += 1;
    }
    Some(units)
}

fn whole(units: f64) -> Option<u64> {
    // Beyond it, whole numbers are not told apart any more.
    (units.is_finite() && units < 9e15).then(|| (units - 1e-9 * units.max(1.0)).ceil().max(1.0) as u64)
}

/// By what a lift is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Judged {
    /// Once.
    Fixed,
    /// At any time, tuned for so many units.
    Sequential { tuning: f64 },
}

/// How many times as many units as there are it takes to find a lift as large as `target`, in its own unit, at the
/// present split: the standard error falls with the root of the units. `None` when there is nothing to find, or it
/// would take more than a million times as many.
pub fn times_as_many(lift: Lift, target: f64, judged: Judged, assurance: Assurance) -> Option<f64> {
    let reach = |times: f64| {
        let units = lift.units * times;
        let width = match judged {
            Judged::Fixed => z_quantile(assurance.alpha),
            Judged::Sequential { tuning } => sequential_half_width(units, assurance.alpha, tuning),
        };
        (width + z_quantile(assurance.missed())) * lift.standard_error / times.sqrt()
    };
    let (mut few, mut many) = (1e-6, 1e6);
    if !(target > 0.0 && reach(many) <= target) {
        return None;
    }
    // It falls all the way: halved, by ratio, until it is known to a thousandth.
    while many / few > 1.001 {
        let middle = (few * many).sqrt();
        if reach(middle) <= target { many = middle } else { few = middle }
    }
    Some(many)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Assurance = Assurance { alpha: 0.05, power: 0.8 };

    #[test]
    fn two_proportions_have_the_number_of_textbooks() {
        assert_eq!(units_for_proportions(0.10, 0.12, USUAL), Some(3_841));
        assert_eq!(units_for_proportions(0.12, 0.10, USUAL), Some(3_841));
        assert_eq!(units_for_proportions(0.1, 0.1, USUAL), None);
        assert_eq!(units_for_proportions(0.0, 1.0, USUAL), Some(2));
    }

    #[test]
    fn two_means_have_the_numbers_of_r() {
        // power.t.test(delta = δ, sd = 1, power = 0.8): 393.41, 63.77, 25.52, 5.09, rounded up
        for (difference, wanted) in [(0.2, 394), (0.5, 64), (0.8, 26), (2.0, 6)] {
            assert_eq!(units_for_means(1.0, difference, USUAL), Some(wanted), "{difference}");
            assert_eq!(units_for_means(7.0, -7.0 * difference, USUAL), Some(wanted), "{difference}");
        }
        assert_eq!(units_for_means(1.0, 0.0, USUAL), None);
        assert_eq!(units_for_means(0.0, 1.0, USUAL), Some(2));
    }

    #[test]
    fn more_power_and_less_alpha_take_more_units() {
        let units = |alpha, power| units_for_proportions(0.1, 0.12, Assurance { alpha, power }).unwrap();
        assert!(units(0.05, 0.8) < units(0.05, 0.9) && units(0.05, 0.8) < units(0.01, 0.8));
        assert!(units(0.05, 0.4) < units(0.05, 0.5), "power below a half");
    }

    /// With as many units as are said, a difference is found about as often as is said.
    #[test]
    fn the_power_is_kept() {
        use crate::statistics::{Proportion, two_proportions};
        let n = units_for_proportions(0.3, 0.4, USUAL).unwrap();
        let mut random = fastrand::Rng::with_seed(5);
        let mut draw =
            |rate: f64| Proportion { successes: (0..n).filter(|_| random.f64() < rate).count() as u64, trials: n };
        let is_found = |_: &i32| two_proportions(draw(0.3), draw(0.4), 0.05).unwrap().p.value < 0.05;
        let found = (0..1_000).filter(is_found).count();
        assert!((760..=850).contains(&found), "{found} of 1,000");
    }

    #[test]
    fn a_lift_takes_so_many_times_the_units_there_are() {
        let lift = Lift { value: 0.05, standard_error: 0.018_641_351_9, freedom: 1_998.0, units: 2_000.0 };
        let fixed = times_as_many(lift, 0.05, Judged::Fixed, USUAL).unwrap();
        // ((1.959964 + 0.841621) · SE ÷ 0.05)²
        assert!((fixed / 1.091_01 - 1.0).abs() < 2e-3, "{fixed}");
        let sequential = times_as_many(lift, 0.05, Judged::Sequential { tuning: 5_000.0 }, USUAL).unwrap();
        // scipy.optimize.brentq of the half-width + 0.8416·SE: 4,185.6 units
        assert!((sequential * 2_000.0 / 4_185.6 - 1.0).abs() < 2e-3, "{sequential}");
        assert_eq!(times_as_many(lift, 0.0, Judged::Fixed, USUAL), None);
        assert_eq!(times_as_many(lift, 1e-9, Judged::Fixed, USUAL), None);
    }
}
