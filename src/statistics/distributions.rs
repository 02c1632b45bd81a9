//! Tails of distributions, however far out.

use std::f64::consts::{LN_10, PI, SQRT_2};

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::beta::{beta_reg, ln_beta};
use statrs::function::erf::erfc;
use statrs::function::gamma::{gamma_ur, ln_gamma};

/// A p-value: in (0, 1], with its logarithm, which tells apart what is too small for a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PValue {
    pub value: f64,
    pub log10: f64,
}

/// Farther out squares leave the range of numbers.
const FARTHEST: f64 = 1e150;

impl PValue {
    /// Nothing speaks against there being no difference.
    pub const ONE: Self = Self { value: 1.0, log10: 0.0 };

    /// Of its natural logarithm; above 1 it is 1.
    pub(super) fn of_logarithm(natural: f64) -> Self {
        // Beyond the range of numbers there is an end, which has a logarithm.
        let natural = natural.clamp(-f64::MAX, 0.0);
        Self { value: natural.exp().max(f64::MIN_POSITIVE), log10: natural / LN_10 }
    }

    /// Both tails of the standard normal distribution beyond ±z: erfc(|z|/√2), and far out
    /// exp(−z²/2)·√(2/π)/|z|·(1 − 1/z² + 3/z⁴), the asymptotic series of erfc.
    pub fn of_z(z: f64) -> Self {
        let z = z.abs().min(FARTHEST);
        if z < 30.0 {
            return Self::of_logarithm(erfc(z / SQRT_2).ln());
        }
        let square = z * z;
        let series = 1.0 - 1.0 / square + 3.0 / (square * square);
        Self::of_logarithm(-square / 2.0 + 0.5 * (2.0 / PI).ln() - z.ln() + series.ln())
    }

    /// Both tails of Student's distribution with `freedom` degrees beyond ±t: I_x(ν/2, 1/2) with
    /// x = ν/(ν + t²), and far out x^a·(1−x)^b/(a·B(a, b)), times the first term of its series in x.
    pub fn of_t(t: f64, freedom: f64) -> Self {
        let (a, b, t) = (freedom / 2.0, 0.5, t.clamp(-FARTHEST, FARTHEST));
        let x = freedom / (freedom + t * t);
        let p = beta_reg(a, b, x);
        if p > 1e-280 {
            return Self::of_logarithm(p.ln());
        }
        let first = ((a + b) / (a + 1.0) * x).ln_1p();
        Self::of_logarithm(a * x.ln() + b * (1.0 - x).ln() - a.ln() - ln_beta(a, b) + first)
    }

    /// The upper tail of the χ² distribution with `freedom` degrees beyond `chi_squared`: Γ(ν/2, χ²/2)/Γ(ν/2).
    pub fn of_chi_squared(chi_squared: f64, freedom: u64) -> Self {
        if freedom == 0 || chi_squared <= 0.0 {
            return Self::ONE;
        }
        let (a, x) = (freedom as f64 / 2.0, chi_squared / 2.0);
        let p = gamma_ur(a, x);
        if p > 1e-280 { Self::of_logarithm(p.ln()) } else { Self::of_logarithm(ln_gamma_tail(a, x)) }
    }
}

/// ln Γ(a, x)/Γ(a), far out in the tail: x^a·e^(−x)/Γ(a) times the continued fraction
/// 1/(x+1−a− 1·(1−a)/(x+3−a− 2·(2−a)/(x+5−a− …))), by Lentz's method.
///
/// Source: Abramowitz and Stegun 1964, 6.5.31.
fn ln_gamma_tail(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (f64::MAX.sqrt(), 1.0 / b);
    let mut fraction = d;
    for step in 1..10_000 {
        let step = f64::from(step);
        let numerator = -step * (step - a);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    a * x.ln() - x - ln_gamma(a) + fraction.ln()
}

/// The chance of the standard normal distribution below z.
pub(super) fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / SQRT_2)
}

/// The density of the standard normal distribution at z.
pub(super) fn normal_density(z: f64) -> f64 {
    (-z * z / 2.0).exp() / (2.0 * PI).sqrt()
}

/// How many standard errors a two-sided interval that leaves `alpha` out reaches to each side.
pub fn z_quantile(alpha: f64) -> f64 {
    Normal::standard().inverse_cdf(1.0 - alpha / 2.0)
}

/// How many standard errors a two-sided interval that leaves `alpha` out reaches to each side, by Student's distribution.
///
/// With many degrees of freedom the library's inverse loses its digits; there the first terms of the expansion of
/// Cornish and Fisher about the normal quantile have more than twelve: z + (z³+z)/4ν + (5z⁵+16z³+3z)/96ν².
pub(super) fn t_quantile(alpha: f64, freedom: f64) -> f64 {
    let level = 1.0 - alpha / 2.0;
    if freedom < 5_000.0 {
        return StudentsT::new(0.0, 1.0, freedom).expect("degrees of freedom are positive").inverse_cdf(level);
    }
    let z = z_quantile(alpha);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    z + first / freedom + second / freedom.powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Z_95;

    #[test]
    fn p_values_are_those_of_tables() {
        let close = |p: PValue, wanted: f64| assert!((p.value / wanted - 1.0).abs() < 1e-9, "{p:?}, not {wanted}");
        close(PValue::of_z(1.959_963_984_540_054), 0.05);
        close(PValue::of_z(-2.677_397_76), 0.007_419_649_327_7);
        // scipy.stats.t.sf(2.5, 7) * 2
        close(PValue::of_t(2.5, 7.0), 0.040_992_218_585_2);
        assert_eq!(PValue::of_z(0.0), PValue::ONE);
        assert_eq!(PValue::of_t(0.0, 3.0), PValue::ONE);
    }

    #[test]
    fn a_p_value_is_never_0_and_its_logarithm_goes_on() {
        let far = PValue::of_z(100.0);
        // scipy.stats.norm.logsf(100) / ln 10 + log10(2)
        assert!((far.log10 - -2_173.570_513).abs() < 1e-5, "{far:?}");
        assert!(far.value > 0.0);
        for p in [
            PValue::of_z(f64::INFINITY),
            PValue::of_t(f64::NEG_INFINITY, 1.0),
            PValue::of_t(1e300, 1e9),
            PValue::of_logarithm(f64::NEG_INFINITY),
        ] {
            assert!(p.value > 0.0 && p.log10.is_finite(), "{p:?}");
        }
        let (near, beyond) = (PValue::of_z(29.999_999), PValue::of_z(30.0));
        assert!((near.log10 - beyond.log10).abs() < 1e-4, "{near:?} {beyond:?}");
        // mpmath.betainc, with 30 digits
        for (t, freedom, wanted) in [(1e6, 200.0, -971.146_118), (1e11, 30.0, -308.683_420)] {
            let far = PValue::of_t(t, freedom);
            assert!(far.value > 0.0 && (far.log10 - wanted).abs() < 1e-5, "{far:?}");
        }
        let mut before = PValue::ONE;
        for step in 1..400 {
            let p = PValue::of_t(f64::from(step) * 0.5, 900.0);
            assert!(p.log10 < before.log10, "at {step}: {p:?} after {before:?}");
            before = p;
        }
    }

    #[test]
    fn tails_of_chi_squared_are_those_of_tables_however_far_out() {
        // mpmath.gammainc, with 30 digits
        for (chi_squared, freedom, wanted) in [
            (0.5, 1, -0.319_211_277_826),
            (3.0, 7, -0.053_055_634_173),
            (18.181_818_181_818_183, 1, -4.697_265_358_13),
            (100.0, 100, -0.317_681_886_309),
            (2_000.0, 3, -432.741_809_859),
            (5_000.0, 40, -1_038.257_127_31),
            (100_000.0, 10, -21_697.308_391_6),
        ] {
            let p = PValue::of_chi_squared(chi_squared, freedom);
            assert!((p.log10 / wanted - 1.0).abs() < 1e-9, "{chi_squared} {freedom}: {p:?}");
            assert!(p.value > 0.0);
        }
        assert_eq!(PValue::of_chi_squared(0.0, 3), PValue::ONE);
        assert_eq!(PValue::of_chi_squared(5.0, 0), PValue::ONE);
    }

    #[test]
    fn quantiles_of_the_normal_distribution_are_those_of_tables() {
        assert!((z_quantile(0.05) - Z_95).abs() < 1e-15);
        // scipy.stats.norm.isf(α / 2)
        for (alpha, wanted) in
            [(0.5, 0.674_489_750_196), (0.01, 2.575_829_303_549), (1e-4, 3.890_591_886_413), (1.2, -0.253_347_103_136)]
        {
            assert!((z_quantile(alpha) - wanted).abs() < 1e-9, "{alpha}");
            assert!((normal_cdf(wanted) - (1.0 - alpha / 2.0)).abs() < 1e-9);
        }
        assert!(normal_cdf(-30.0) > 0.0);
    }

    #[test]
    fn quantiles_of_student_are_those_of_tables() {
        // scipy.stats.t.ppf(0.975, ν)
        for (freedom, wanted) in [
            (1.0, 12.706_204_736_17),
            (10.0, 2.228_138_851_99),
            (4_999.0, 1.960_438_646_66),
            (6_800.0, 1.960_312_909_00),
            (1e7, 1.959_964_221_77),
        ] {
            let quantile = t_quantile(0.05, freedom);
            assert!((quantile - wanted).abs() < 1e-9, "{quantile}, not {wanted}, for {freedom}");
        }
    }
}
