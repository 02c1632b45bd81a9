//! Samples from raw sums, without the digits that a subtraction of large sums loses.

use super::Sample;

/// A sum that is carried with twice the digits of a number, as its nearest number and what is left of it.
///
/// Whole numbers of up to 106 bits are exact in it, and so are products of two that fit.
///
/// Source: Dekker 1971, Numerische Mathematik 18:224.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum {
    high: f64,
    low: f64,
    /// Whether it came as a number that may be the nearest one of another.
    is_rounded: bool,
}

/// From here on numbers no longer have every whole number.
const WHOLE: f64 = 9_007_199_254_740_992.0;

impl Sum {
    /// The nearest number.
    pub fn value(self) -> f64 {
        self.high
    }

    fn plus(self, other: Self) -> Self {
        let high = self.high + other.high;
        let part = high - self.high;
        let lost = (self.high - (high - part)) + (other.high - part);
        Self::normal(high, lost + self.low + other.low)
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self { high: -other.high, low: -other.low, ..other })
    }

    fn times(self, other: Self) -> Self {
        let high = self.high * other.high;
        let lost = self.high.mul_add(other.high, -high);
        Self::normal(high, lost + (self.high * other.low + self.low * other.high))
    }

    fn normal(high: f64, low: f64) -> Self {
        let sum = high + low;
        Self { high: sum, low: low - (sum - high), is_rounded: false }
    }
}

impl From<f64> for Sum {
    fn from(number: f64) -> Self {
        let is_exact = number.fract() == 0.0 && number.abs() < WHOLE;
        Self { high: number, low: 0.0, is_rounded: !is_exact }
    }
}

impl From<i64> for Sum {
    fn from(number: i64) -> Self {
        let high = number as f64;
        Self { high, low: (i128::from(number) - high as i128) as f64, is_rounded: false }
    }
}

impl From<u64> for Sum {
    fn from(number: u64) -> Self {
        let high = number as f64;
        Self { high, low: (i128::from(number) - high as i128) as f64, is_rounded: false }
    }
}

/// The raw sums of one variable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sums {
    pub n: u64,
    /// Σy
    pub sum: Sum,
    /// Σy²
    pub squares: Sum,
}

/// Sums that no values have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// Cauchy and Schwarz: (Σy)² is at most n·Σy².
    #[error("less than the square of the sum ÷ n, which no values have")]
    SquaresTooSmall,
    /// Cauchy and Schwarz: cov(y, x)² is at most var(y)·var(x).
    #[error("more apart from the product of the sums ÷ n than the variances allow, which no values have")]
    ProductTooLarge,
    /// Nothing has no sum.
    #[error("of no values, and not 0")]
    SumOfNothing,
}

/// The part of n·Σy² by which sums may miss what is possible, since whoever added them up has rounded.
const ROUNDING: f64 = 1e-9;

/// n·Σab − Σa·Σb, which is n² times their covariance.
fn cross(n: u64, [a, b]: [Sum; 2], products: Sum) -> f64 {
    Sum::from(n).times(products).minus(a.times(b)).value()
}

/// Per value less one; 0 for fewer than two.
fn per_freedom(n: u64, cross: f64) -> f64 {
    if n < 2 { 0.0 } else { cross / n as f64 / (n - 1) as f64 }
}

impl Sums {
    /// Mean and variance, s² = (Σy² − (Σy)²/n) ÷ (n − 1); `None` without values.
    ///
    /// The difference is taken with twice the digits of the sums, so that whole numbers lose nothing:
    /// 10⁹ + {0, 1, 2} have s² = 1. Sums that were rounded to numbers have lost theirs before: what is not more than
    /// their rounding is no variance.
    pub fn sample(self) -> Result<Option<Sample>, Impossible> {
        if self.n == 0 {
            let is_nothing = self.sum.value() == 0.0 && self.squares.value() == 0.0;
            return if is_nothing { Ok(None) } else { Err(Impossible::SumOfNothing) };
        }
        let scale = self.n as f64 * self.squares.value();
        let spread = cross(self.n, [self.sum; 2], self.squares);
        if spread < -ROUNDING * scale.abs() || scale < 0.0 {
            return Err(Impossible::SquaresTooSmall);
        }
        let is_rounding = (self.sum.is_rounded || self.squares.is_rounded) && spread <= 4.0 * f64::EPSILON * scale;
        let spread = if is_rounding { 0.0 } else { spread.max(0.0) };
        let mean = self.sum.value() / self.n as f64;
        Ok(Some(Sample { n: self.n, mean, variance: per_freedom(self.n, spread) }))
    }
}

/// Two variables of the same units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Joint {
    pub y: Sample,
    pub x: Sample,
    /// With n − 1.
    pub covariance: f64,
}

impl Joint {
    /// From raw sums, with Σyx; `None` without values.
    pub fn of_sums(y: Sums, x: Sums, products: Sum) -> Result<Option<Self>, Impossible> {
        let (Some(y_sample), Some(x_sample)) = (y.sample()?, x.sample()?) else {
            return if products.value() == 0.0 { Ok(None) } else { Err(Impossible::SumOfNothing) };
        };
        let covariance = per_freedom(y.n, cross(y.n, [y.sum, x.sum], products));
        let most = (y_sample.variance * x_sample.variance).sqrt();
        // The size of what was subtracted, of which its last digits may be wrong.
        let size = (y.squares.value() / y.n as f64).sqrt() * (x.squares.value() / y.n as f64).sqrt();
        if covariance.abs() > most * (1.0 + ROUNDING) + size * ROUNDING {
            return Err(Impossible::ProductTooLarge);
        }
        Ok(Some(Self { y: y_sample, x: x_sample, covariance: covariance.clamp(-most, most) }))
    }

    /// The ratio Σy ÷ Σx as a sample by the delta method: R with s² = (s²_y − 2R·s_yx + R²·s²_x) ÷ μ_x².
    /// `None` when Σx is 0, or too close to it to divide by.
    ///
    /// Source: Deng, Knoblich and Lu 2018, Applying the Delta Method in Metric Analytics, KDD, section 3.
    pub fn ratio(self) -> Option<Sample> {
        let ratio = self.y.mean / self.x.mean;
        let spread = self.y.variance - 2.0 * ratio * self.covariance + ratio * ratio * self.x.variance;
        let variance = spread.max(0.0) / (self.x.mean * self.x.mean);
        (ratio.is_finite() && variance.is_finite()).then_some(Sample { n: self.y.n, mean: ratio, variance })
    }

    /// Both samples as one, whose means count as well.
    pub(super) fn with(self, other: Self) -> Self {
        let (n1, n2) = (self.y.n as f64, other.y.n as f64);
        let (n, freedom) = (n1 + n2, (n1 + n2 - 1.0).max(1.0));
        let pooled =
            |one: f64, two: f64, apart: f64| ((n1 - 1.0) * one + (n2 - 1.0) * two + apart * n1 * n2 / n) / freedom;
        let (dy, dx) = (other.y.mean - self.y.mean, other.x.mean - self.x.mean);
        let of = |one: Sample, two: Sample, apart: f64| Sample {
            n: one.n.saturating_add(two.n),
            mean: one.mean + apart * n2 / n,
            variance: pooled(one.variance, two.variance, apart * apart),
        };
        Self {
            y: of(self.y, other.y, dy),
            x: of(self.x, other.x, dx),
            covariance: pooled(self.covariance, other.covariance, dy * dx),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::statistics::Lift;

    fn sums(values: &[i64]) -> Sums {
        let squares: i64 = values.iter().map(|value| value * value).sum();
        Sums { n: values.len() as u64, sum: values.iter().sum::<i64>().into(), squares: squares.into() }
    }

    #[test]
    fn a_variance_is_not_lost_behind_a_large_mean() {
        let sample = sums(&[1_000_000_000, 1_000_000_001, 1_000_000_002]).sample().unwrap().unwrap();
        assert_eq!((sample.mean, sample.variance), (1_000_000_001.0, 1.0));
        // As numbers the squares have no digits left that tell.
        let squares = Sum::from(3_000_000_006_000_000_005_i64).value();
        let rounded = Sums { n: 3, sum: 3_000_000_003.0.into(), squares: squares.into() };
        assert_eq!(rounded.sample().unwrap().unwrap().variance, 0.0);
    }

    #[test]
    fn sums_that_no_values_have_are_told() {
        let of = |n, sum: f64, squares: f64| Sums { n, sum: sum.into(), squares: squares.into() }.sample();
        assert_eq!(of(10, 10.0, 9.0), Err(Impossible::SquaresTooSmall));
        assert_eq!(of(10, 0.0, -1.0), Err(Impossible::SquaresTooSmall));
        assert_eq!(of(0, 1.0, 1.0), Err(Impossible::SumOfNothing));
        assert_eq!(of(0, 0.0, 0.0), Ok(None));
        assert_eq!(of(10, 10.0, 10.0), Ok(Some(Sample { n: 10, mean: 1.0, variance: 0.0 })));
        assert_eq!(of(1, 3.0, 9.0), Ok(Some(Sample { n: 1, mean: 3.0, variance: 0.0 })));
        let (y, x) = (sums(&[1, 2, 3]), sums(&[3, 4, 5]));
        assert!(Joint::of_sums(y, x, 26_i64.into()).unwrap().is_some());
        assert_eq!(Joint::of_sums(y, x, 27_i64.into()), Err(Impossible::ProductTooLarge));
    }

    #[test]
    fn a_ratio_has_the_variance_of_the_delta_method() {
        // numpy.cov of clicks {1, 0, 2, 3} and views {4, 1, 5, 10}: 5/3, 14, 14/3; ratio 0.3
        let (clicks, views) = (sums(&[1, 0, 2, 3]), sums(&[4, 1, 5, 10]));
        let ratio = Joint::of_sums(clicks, views, 44_i64.into()).unwrap().unwrap().ratio().unwrap();
        assert_eq!((ratio.n, ratio.mean), (4, 0.3));
        let wanted = (5.0 / 3.0 - 2.0 * 0.3 * 14.0 / 3.0 + 0.09 * 14.0) / 25.0;
        assert!((ratio.variance / wanted - 1.0).abs() < 1e-12, "{ratio:?}, not {wanted}");
        // The same, compared, as gbstats has it.
        let of = |n, y: [i64; 2], x: [i64; 2], products: i64| {
            let [y, x] = [y, x].map(|[sum, squares]| Sums { n, sum: sum.into(), squares: squares.into() });
            Joint::of_sums(y, x, products.into()).unwrap().unwrap().ratio().unwrap()
        };
        let baseline = of(400, [800, 2_600], [1_600, 8_000], 4_100);
        let candidate = of(500, [1_150, 3_900], [2_000, 10_000], 5_600);
        let absolute = Lift::absolute(baseline, candidate).unwrap().difference(0.05);
        let relative = Lift::relative(baseline, candidate).unwrap().difference(0.05);
        for (got, wanted) in [
            (absolute.value, 0.075),
            (absolute.standard_error, 0.019_691_328_0),
            (absolute.interval[0], 0.036_352_841_1),
            (absolute.p.value, 0.000_149_295_3),
            (relative.standard_error, 0.042_468_555_2),
            (relative.interval[1], 0.233_350_853_7),
            (relative.p.value, 0.000_433_705_4),
        ] {
            assert!((got - wanted).abs() < 1e-9, "{got}, not {wanted}");
        }
        let nothing = Joint::of_sums(clicks, sums(&[0, 0, 0, 0]), 0_i64.into()).unwrap().unwrap();
        assert_eq!(nothing.ratio(), None);
    }

    proptest! {
        #[test]
        fn a_variance_of_whole_numbers_is_that_of_the_values(
            values in prop::collection::vec(0_i64..1_000, 2..50), shift in 0_i64..1_000_000_000,
        ) {
            // So far from 0 that the plain formula has no digit left.
            prop_assume!(values.iter().map(|value| (value + shift) as i128).map(|value| value * value).sum::<i128>() < i64::MAX as i128);
            let shifted: Vec<i64> = values.iter().map(|value| value + shift).collect();
            let mean = values.iter().sum::<i64>() as f64 / values.len() as f64;
            let spread: f64 = values.iter().map(|value| (*value as f64 - mean).powi(2)).sum();
            let wanted = spread / (values.len() - 1) as f64;
            let got = sums(&shifted).sample().unwrap().unwrap().variance;
            prop_assert!((got - wanted).abs() <= 1e-9 * wanted.max(1.0), "{got}, not {wanted}");
        }

        #[test]
        fn two_samples_as_one_have_the_moments_of_all_values(
            one in prop::collection::vec((-100_i64..100, -100_i64..100), 2..20),
            two in prop::collection::vec((-100_i64..100, -100_i64..100), 2..20),
        ) {
            let joint = |pairs: &[(i64, i64)]| {
                let (y, x): (Vec<i64>, Vec<i64>) = pairs.iter().copied().unzip();
                let products: i64 = pairs.iter().map(|(y, x)| y * x).sum();
                Joint::of_sums(sums(&y), sums(&x), products.into()).unwrap().unwrap()
            };
            let (got, wanted) = (joint(&one).with(joint(&two)), joint(&[one, two].concat()));
            for (got, wanted) in [
                (got.y.mean, wanted.y.mean), (got.y.variance, wanted.y.variance), (got.x.variance, wanted.x.variance),
                (got.covariance, wanted.covariance),
            ] {
                prop_assert!((got - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{got}, not {wanted}");
            }
        }
    }
}
