//! Lifts: how far a candidate lies from a baseline, absolute or as a part of it.

use super::distributions::t_quantile;
use super::{Difference, PValue, Sample};

/// A lift with what its intervals and tests are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lift {
    /// Candidate − baseline in their unit, or that ÷ |baseline|.
    pub value: f64,
    /// The square root of its variance, which is that of both samples unpooled.
    pub standard_error: f64,
    /// Welch's and Satterthwaite's degrees of freedom.
    pub freedom: f64,
    /// The sizes of both samples together.
    pub units: f64,
}

impl Lift {
    /// Δ = μ_T − μ_C, with the variance s²_C/n_C + s²_T/n_T. `None` when a sample has fewer than two values.
    ///
    /// Source: Welch 1947, Biometrika 34:28.
    pub fn absolute(baseline: Sample, candidate: Sample) -> Option<Self> {
        let variances = [baseline.variance_of_mean()?, candidate.variance_of_mean()?];
        Self::of(candidate.mean - baseline.mean, variances, [baseline, candidate])
    }

    /// Δ ÷ |μ_C|, with the variance s²_T/(μ_C²·n_T) + s²_C·μ_T²/(μ_C⁴·n_C): from −10 to −5 is +0.5.
    /// `None` when a sample has fewer than two values, and when μ_C is 0, or too close to it to divide by.
    ///
    /// Source: the delta method, as Deng, Knoblich and Lu 2018, KDD, have it; reference numbers from GrowthBook's
    /// gbstats.
    pub fn relative(baseline: Sample, candidate: Sample) -> Option<Self> {
        Self::absolute(baseline, candidate)?.relative_with([baseline, candidate], [baseline, candidate])
    }

    /// This lift as a part of the first of two means, by the delta method with the variances of two samples, which may
    /// be others than those whose means they are. The degrees of freedom stay those of the absolute lift.
    pub(super) fn relative_with(self, means: [Sample; 2], samples: [Sample; 2]) -> Option<Self> {
        let [baseline, candidate] = means.map(|sample| sample.mean);
        let of_candidate = samples[1].variance_of_mean()? / (baseline * baseline);
        let of_baseline = samples[0].variance_of_mean()? * (candidate / baseline / baseline).powi(2);
        let lift = Self::of(self.value / baseline.abs(), [of_baseline, of_candidate], samples)?;
        Some(Self { freedom: self.freedom, ..lift })
    }

    fn of(value: f64, [v1, v2]: [f64; 2], [baseline, candidate]: [Sample; 2]) -> Option<Self> {
        let standard_error = (v1 + v2).sqrt();
        let (n1, n2) = (baseline.n as f64, candidate.n as f64);
        // Of neither that varies, as if both did alike.
        let share = if v1 + v2 > 0.0 { v1 / (v1 + v2) } else { 0.5 };
        let freedom = (share.powi(2) / (n1 - 1.0) + (1.0 - share).powi(2) / (n2 - 1.0)).recip();
        (value.is_finite() && standard_error.is_finite()).then_some(Self {
            value,
            standard_error,
            freedom,
            units: n1 + n2,
        })
    }

    /// Welch's t-test, and the interval value ± t·SE that leaves `alpha` out.
    ///
    /// t = value ÷ SE. When neither sample varies, they are the same, or differ for certain.
    pub fn difference(self, alpha: f64) -> Difference {
        let Self { value, standard_error, freedom, .. } = self;
        if standard_error == 0.0 {
            let p = if value == 0.0 { PValue::ONE } else { PValue::of_z(f64::INFINITY) };
            return Difference { value, standard_error, interval: [value; 2], p };
        }
        let half = t_quantile(alpha, freedom) * standard_error;
        let p = PValue::of_t(value / standard_error, freedom);
        Difference { value, standard_error, interval: [value - half, value + half], p }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(got: f64, wanted: f64) {
        assert!((got - wanted).abs() < 5.1e-6, "{got}, not {wanted}");
    }

    fn of_sums(n: u64, sum: f64, sum_of_squares: f64) -> Sample {
        let mean = sum / n as f64;
        Sample { n, mean, variance: (sum_of_squares - sum * mean) / (n - 1) as f64 }
    }

    #[test]
    fn a_lift_has_the_numbers_of_gbstats() {
        let baseline = of_sums(3_407, 1_396.87, 52_377.976_7);
        let candidate = of_sums(3_461, 2_422.7, 134_698.29);
        let absolute = Lift::absolute(baseline, candidate).unwrap().difference(0.05);
        let relative = Lift::relative(baseline, candidate).unwrap().difference(0.05);
        for (lift, value, error, interval, p) in [
            (absolute, 0.29, 0.124_78, [0.045_38, 0.534_62], 0.020_16),
            (relative, 0.707_32, 0.378_79, [-0.035_26, 1.449_89], 0.061_91),
        ] {
            close(lift.value, value);
            close(lift.standard_error, error);
            close(lift.interval[0], interval[0]);
            close(lift.interval[1], interval[1]);
            close(lift.p.value, p);
        }
    }

    #[test]
    fn a_part_is_one_of_how_large_the_baseline_is_whatever_its_sign() {
        let sample = |mean| Sample { n: 100, mean, variance: 4.0 };
        assert_eq!(Lift::relative(sample(-10.0), sample(-5.0)).unwrap().value, 0.5);
        assert_eq!(Lift::relative(sample(0.0), sample(1.0)), None);
        assert_eq!(Lift::relative(sample(1e-200), sample(1.0)), None);
        assert_eq!(Lift::absolute(Sample { n: 1, ..sample(1.0) }, sample(1.0)), None);
    }

    fn sample() -> impl Strategy<Value = Sample> {
        (2_u64..100_000, -1e3..1e3_f64, 1e-3..1e3_f64).prop_map(|(n, mean, variance)| Sample { n, mean, variance })
    }

    fn same(one: f64, other: f64, scale: f64) -> bool {
        (one - other).abs() <= 1e-9 * scale.abs().max(1e-9)
    }

    proptest! {
        #[test]
        fn baseline_and_candidate_in_each_others_place_change_the_sign_alone(one in sample(), other in sample()) {
            let there = Lift::absolute(one, other).unwrap().difference(0.05);
            let back = Lift::absolute(other, one).unwrap().difference(0.05);
            prop_assert!(same(there.p.log10, back.p.log10, there.p.log10));
            prop_assert!(same(there.value, -back.value, there.value));
            prop_assert!(same(there.interval[0], -back.interval[1], there.standard_error + there.value.abs()));
        }

        #[test]
        fn another_unit_changes_no_p_value_and_no_relative_lift(one in sample(), other in sample(), scale in 1e-6..1e6_f64) {
            prop_assume!(one.mean.abs() > 1e-3);
            let scaled = |sample: Sample| Sample { mean: sample.mean * scale, variance: sample.variance * scale * scale, ..sample };
            let (before, after) = (Lift::absolute(one, other).unwrap(), Lift::absolute(scaled(one), scaled(other)).unwrap());
            let [p, q] = [before, after].map(|lift| lift.difference(0.05).p.log10);
            prop_assert!((p - q).abs() <= 1e-6 * p.abs().max(1e-3), "{p} {q}");
            prop_assert!(same(after.value, before.value * scale, before.value * scale));
            let (before, after) = (Lift::relative(one, other).unwrap(), Lift::relative(scaled(one), scaled(other)).unwrap());
            prop_assert!(same(before.value, after.value, before.value) && same(before.standard_error, after.standard_error, before.standard_error));
        }

        #[test]
        fn another_origin_changes_no_absolute_lift(one in sample(), other in sample(), shift in -1e3..1e3_f64) {
            let shifted = |sample: Sample| Sample { mean: sample.mean + shift, ..sample };
            let (before, after) = (Lift::absolute(one, other).unwrap(), Lift::absolute(shifted(one), shifted(other)).unwrap());
            prop_assert!(same(before.value, after.value, 1e3) && same(before.standard_error, after.standard_error, before.standard_error));
        }
    }
}
