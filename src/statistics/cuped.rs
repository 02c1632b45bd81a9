//! CUPED: differences with what was known of the units before taken out.

use super::{Joint, Lift, Sample};

/// A lift adjusted by what the units did before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cuped {
    /// How much of X is taken out of Y, in units of Y per unit of X.
    pub theta: f64,
    /// 1 − the variance of the adjusted difference ÷ that of the plain one; `None` when neither sample varies.
    pub variance_reduction: Option<f64>,
    pub absolute: Lift,
    /// ÷ |Ȳ_C|, unadjusted; `None` when that is 0.
    pub relative: Option<Lift>,
}

/// The difference (Ȳ_T − θX̄_T) − (Ȳ_C − θX̄_C), of outcomes Y and the same units' X of before. `None` when a sample
/// has fewer than two units.
///
/// θ = cov(Y, X)/var(X) of both samples as one, 0 when X does not vary; a unit's variance is
/// s²_Y + θ²s²_X − 2θs_XY. X is of before the experiment, so its means do not differ but by chance, and what is taken
/// out is no effect.
///
/// Source: Deng, Xu, Kohavi and Walker 2013, Improving the Sensitivity of Online Controlled Experiments by Utilizing
/// Pre-Experiment Data, WSDM; relative lifts as GrowthBook's gbstats has them.
pub fn cuped(baseline: Joint, candidate: Joint) -> Option<Cuped> {
    let both = baseline.with(candidate);
    let theta = if both.x.variance > 0.0 { both.covariance / both.x.variance } else { 0.0 };
    let adjusted = [baseline, candidate].map(|of| Sample {
        n: of.y.n,
        mean: of.y.mean - theta * of.x.mean,
        variance: (of.y.variance + theta * theta * of.x.variance - 2.0 * theta * of.covariance).max(0.0),
    });
    let plain = Lift::absolute(baseline.y, candidate.y)?;
    let absolute = Lift::absolute(adjusted[0], adjusted[1])?;
    let reduction = 1.0 - (absolute.standard_error / plain.standard_error).powi(2);
    Some(Cuped {
        theta,
        variance_reduction: reduction.is_finite().then_some(reduction),
        absolute,
        relative: absolute.relative_with([baseline.y, candidate.y], adjusted),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::statistics::Sums;

    fn joint(n: u64, [y, yy, x, xx, yx]: [i64; 5]) -> Joint {
        let sums = |sum: i64, squares: i64| Sums { n, sum: sum.into(), squares: squares.into() };
        Joint::of_sums(sums(y, yy), sums(x, xx), yx.into()).unwrap().unwrap()
    }

    #[test]
    fn cuped_has_the_numbers_of_gbstats() {
        let baseline = joint(1_000, [5_000, 29_000, 4_900, 28_010, 27_700]);
        let candidate = joint(1_000, [5_120, 30_320, 4_950, 28_500, 28_500]);
        let cuped = cuped(baseline, candidate).unwrap();
        let difference = cuped.absolute.difference(0.05);
        for (got, wanted) in [
            (cuped.theta, 0.794_999_218_6),
            (difference.value, 0.080_250_039_1),
            (difference.standard_error, 0.055_292_288_5),
            (difference.p.value, 0.146_831_989_7),
        ] {
            assert!((got - wanted).abs() < 1e-9, "{got}, not {wanted}");
        }
        // The standard error of the plain difference is 0.0900761551.
        let reduction = 1.0 - (0.055_292_288_5_f64 / 0.090_076_155_1).powi(2);
        assert!((cuped.variance_reduction.unwrap() - reduction).abs() < 1e-8, "{cuped:?}");
        assert_relative(cuped, [0.016_050_007_8, 0.011_184_384_6, -0.005_884_313_8, 0.037_984_329_4, 0.151_433_521_9]);
    }

    #[test]
    fn cuped_has_the_numbers_of_gbstats_for_arms_of_different_sizes() {
        let baseline = joint(400, [2_000, 11_600, 1_960, 11_204, 11_080]);
        let candidate = joint(1_000, [5_120, 30_320, 4_950, 28_500, 28_500]);
        let cuped = cuped(baseline, candidate).unwrap();
        assert!((cuped.theta - 0.792_701_754_4).abs() < 1e-9, "{cuped:?}");
        let difference = cuped.absolute.difference(0.05);
        assert!((difference.standard_error - 0.072_285_351_4).abs() < 1e-9, "{difference:?}");
        assert!((difference.p.value - 0.266_580_836_5).abs() < 1e-9, "{difference:?}");
        assert_relative(cuped, [0.016_072_982_5, 0.014_697_632_2, -0.012_778_954_3, 0.044_924_919_2, 0.274_480_994_0]);
    }

    /// Value, standard error, interval and p.
    #[track_caller]
    fn assert_relative(cuped: Cuped, wanted: [f64; 5]) {
        let of = cuped.relative.unwrap().difference(0.05);
        let got = [of.value, of.standard_error, of.interval[0], of.interval[1], of.p.value];
        assert!(got.iter().zip(wanted).all(|(got, wanted)| (got - wanted).abs() < 1e-9), "{got:?}, not {wanted:?}");
    }

    #[test]
    fn what_does_not_vary_takes_nothing_out() {
        let [baseline, candidate] = [joint(4, [10, 30, 8, 16, 20]), joint(4, [12, 40, 8, 16, 24])];
        let cuped = cuped(baseline, candidate).unwrap();
        assert_eq!((cuped.theta, cuped.variance_reduction), (0.0, Some(0.0)));
        assert_eq!(Some(cuped.absolute), Lift::absolute(baseline.y, candidate.y));
        assert_eq!(cuped.relative, Lift::relative(baseline.y, candidate.y));
    }

    proptest! {
        #[test]
        fn another_origin_of_what_was_before_changes_nothing(
            one in prop::collection::vec((0_i64..50, 0_i64..50), 3..30),
            two in prop::collection::vec((0_i64..50, 0_i64..50), 3..30), shift in 1_i64..10_000,
        ) {
            let of = |pairs: &[(i64, i64)], shift: i64| joint(pairs.len() as u64, pairs.iter().fold([0; 5], |sums, (y, x)| {
                let x = x + shift;
                [sums[0] + y, sums[1] + y * y, sums[2] + x, sums[3] + x * x, sums[4] + y * x]
            }));
            let before = cuped(of(&one, 0), of(&two, 0)).unwrap();
            let after = cuped(of(&one, shift), of(&two, shift)).unwrap();
            let size = before.absolute.value.abs().max(before.absolute.standard_error).max(1.0);
            prop_assert!((before.absolute.value - after.absolute.value).abs() < 1e-7 * size, "{before:?} {after:?}");
            prop_assert!((before.absolute.standard_error - after.absolute.standard_error).abs() < 1e-7 * size);
            // Whatever is taken out, it is chosen to make the variance of all units the least.
            let pooled = |of: [Joint; 2]| of[0].with(of[1]);
            let all = pooled([of(&one, 0), of(&two, 0)]);
            let rest = |theta: f64| all.y.variance + theta * theta * all.x.variance - 2.0 * theta * all.covariance;
            prop_assert!(rest(before.theta) <= rest(before.theta + 0.1).min(rest(before.theta - 0.1)) + 1e-9);
        }
    }
}
