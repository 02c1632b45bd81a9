//! The Bayesian view of a lift.

use super::Lift;
use super::distributions::{normal_cdf, normal_density, z_quantile};

/// What is believed of a lift before there are data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Prior {
    /// Every lift is as likely.
    Flat,
    /// A normal distribution.
    Normal { mean: f64, standard_deviation: f64 },
}

/// What is believed of a lift with its data: a normal distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posterior {
    pub mean: f64,
    pub standard_deviation: f64,
}

impl Posterior {
    /// The posterior of a lift, whose likelihood is normal: precisions 1/σ² add up, and the mean is weighed by them.
    /// `None` when neither sample varies.
    ///
    /// Source: Gelman et al. 2013, Bayesian Data Analysis, 2.5; reference numbers from GrowthBook's gbstats.
    pub fn of(lift: Lift, prior: Prior) -> Option<Self> {
        let variance = lift.standard_error * lift.standard_error;
        if variance <= 0.0 {
            return None;
        }
        Some(match prior {
            Prior::Flat => Self { mean: lift.value, standard_deviation: lift.standard_error },
            Prior::Normal { mean, standard_deviation } => {
                let before = standard_deviation * standard_deviation;
                let precision = before.recip() + variance.recip();
                Self {
                    mean: (mean / before + lift.value / variance) / precision,
                    standard_deviation: precision.recip().sqrt(),
                }
            }
        })
    }

    /// The same of the lift with the other sign: where less is better.
    pub fn reversed(self) -> Self {
        Self { mean: -self.mean, ..self }
    }

    /// The chance that the lift is above 0: 1 − Φ(0).
    pub fn chance_to_win(self) -> f64 {
        normal_cdf(self.mean / self.standard_deviation)
    }

    /// What is lost on average, as a lift: by staying with the baseline, E[max(lift, 0)], and by taking the candidate,
    /// E[max(−lift, 0)]; μ·Φ(μ/σ) + σ·φ(μ/σ) and the same of −μ.
    pub fn risk(self) -> [f64; 2] {
        let z = self.mean / self.standard_deviation;
        let of = |sign: f64| {
            (sign * self.mean * normal_cdf(sign * z) + self.standard_deviation * normal_density(z)).max(0.0)
        };
        [of(1.0), of(-1.0)]
    }

    /// The credible interval that leaves `alpha` out, as much on either side.
    pub fn interval(self, alpha: f64) -> [f64; 2] {
        let half = z_quantile(alpha) * self.standard_deviation;
        [self.mean - half, self.mean + half]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{Proportion, Sample};

    fn lift(c: (u64, u64), t: (u64, u64)) -> Lift {
        let [c, t] = [c, t].map(|(successes, trials)| Proportion { successes, trials }.sample().unwrap());
        Lift::relative(c, t).unwrap()
    }

    fn close(got: f64, wanted: f64) {
        assert!((got - wanted).abs() < 5.1e-6, "{got}, not {wanted}");
    }

    #[test]
    fn a_flat_prior_has_the_numbers_of_gbstats() {
        let posterior = Posterior::of(lift((49, 100), (51, 100)), Prior::Flat).unwrap();
        close(posterior.mean, 0.040_82);
        let [lower, upper] = posterior.interval(0.05);
        close(lower, -0.247_79);
        close(upper, 0.329_43);
        close(posterior.chance_to_win(), 0.609_18);
        let [stay, take] = posterior.risk();
        assert!((stay - 0.081_4).abs() < 5.1e-5, "{stay}");
        close(take, 0.040_58);
    }

    #[test]
    fn a_prior_draws_towards_it_by_how_much_is_known() {
        let prior = Prior::Normal { mean: 0.0, standard_deviation: 0.3 };
        // scipy: precision 1/0.09 + 1/0.147249², weighed by hand
        let flat = Posterior::of(lift((49, 100), (51, 100)), Prior::Flat).unwrap();
        let drawn = Posterior::of(lift((49, 100), (51, 100)), prior).unwrap();
        let weight = 0.09 / (0.09 + flat.standard_deviation.powi(2));
        assert!((drawn.mean - flat.mean * weight).abs() < 1e-12, "{drawn:?}");
        assert!((drawn.standard_deviation - flat.standard_deviation * weight.sqrt()).abs() < 1e-12, "{drawn:?}");
        let sure = Posterior::of(lift((490_000, 1_000_000), (510_000, 1_000_000)), prior).unwrap();
        assert!((sure.mean - 0.040_82).abs() < 1e-5);
    }

    #[test]
    fn both_signs_share_what_there_is() {
        let posterior = Posterior { mean: 0.1, standard_deviation: 0.2 };
        let (one, other) = (posterior.chance_to_win(), posterior.reversed().chance_to_win());
        assert!((one + other - 1.0).abs() < 1e-12);
        let [stay, take] = posterior.risk();
        assert_eq!(posterior.reversed().risk(), [take, stay]);
        // E[max(lift, 0)] − E[max(−lift, 0)] = E[lift]
        assert!((stay - take - 0.1).abs() < 1e-12);
        let sample = Sample { n: 10, mean: 1.0, variance: 0.0 };
        assert_eq!(Posterior::of(Lift::absolute(sample, sample).unwrap(), Prior::Flat), None);
        assert!(Posterior { mean: 5.0, standard_deviation: 0.01 }.risk()[1] >= 0.0);
    }
}
