//! Counts by category.

use super::PValue;

/// How alike two samples are spread over categories.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homogeneity {
    /// Half of the sum of |p₁ − p₂| over all categories: the part of one sample that would have to be elsewhere, 0 to 1.
    pub distance: f64,
    pub chi_squared: f64,
    /// Cramér's V, √(χ² ÷ n): 0 where both are alike, 1 where they share no category.
    pub cramers_v: f64,
    /// Of the test: categories that are told apart − 1.
    pub freedom: u64,
    pub p: PValue,
}

/// The fewest that a category is expected to have on either side; smaller ones are taken together.
const FEWEST_EXPECTED: f64 = 5.0;

/// Whether two samples are spread alike over categories, by Pearson's χ² test of homogeneity; each category with its
/// counts in both. `None` when one of them is empty.
///
/// χ² = Σ (seen − expected)² ÷ expected over both samples, with one degree of freedom fewer than categories.
/// Categories of which fewer than five are expected in a sample are taken together.
///
/// Source: Pearson 1900; the rule of five: Cochran 1954, Biometrics 10:417; V, which of two samples divides by n alone:
/// Cramér 1946, Mathematical Methods of Statistics, 21.9.
pub fn homogeneity(counts: &[(u64, u64)]) -> Option<Homogeneity> {
    let (first, second) = counts.iter().fold((0, 0), |sums, count| (sums.0 + count.0, sums.1 + count.1));
    if first == 0 || second == 0 {
        return None;
    }
    let (n1, n2) = (first as f64, second as f64);
    let distance = counts.iter().map(|(a, b)| (*a as f64 / n1 - *b as f64 / n2).abs()).sum::<f64>() / 2.0;
    let expected = |(a, b): &(u64, u64)| {
        let share = (a + b) as f64 / (n1 + n2);
        (share * n1, share * n2)
    };
    let is_large = |count: &(u64, u64)| expected(count).0.min(expected(count).1) >= FEWEST_EXPECTED;
    let (mut categories, mut rest) = (Vec::new(), (0, 0));
    for count in counts {
        if is_large(count) {
            categories.push(*count);
        } else {
            rest = (rest.0 + count.0, rest.1 + count.1);
        }
    }
    categories.extend((rest != (0, 0)).then_some(rest));
    let part = |count: &(u64, u64)| {
        let (e1, e2) = expected(count);
        (count.0 as f64 - e1).powi(2) / e1 + (count.1 as f64 - e2).powi(2) / e2
    };
    let chi_squared: f64 = categories.iter().map(part).sum();
    let cramers_v = (chi_squared / (n1 + n2)).sqrt();
    let freedom = categories.len() as u64 - 1;
    Some(Homogeneity { distance, chi_squared, cramers_v, freedom, p: PValue::of_chi_squared(chi_squared, freedom) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_has_the_numbers_of_scipy() {
        // scipy.stats.chi2_contingency([[10, 20, 30], [6, 9, 45]], correction=False)
        let spread = homogeneity(&[(10, 6), (20, 9), (30, 45)]).unwrap();
        assert!((spread.chi_squared - 8.172_413_793).abs() < 1e-8, "{spread:?}");
        assert!((spread.p.value - 0.016_802_848).abs() < 1e-8 && spread.freedom == 2, "{spread:?}");
        assert!((spread.distance - 0.25).abs() < 1e-12, "{spread:?}");
        // scipy.stats.contingency.association of the same, method="cramer"
        assert!((spread.cramers_v - 0.260_966_374).abs() < 1e-8, "{spread:?}");
    }

    #[test]
    fn samples_that_share_no_category_are_as_far_apart_as_can_be() {
        let apart = homogeneity(&[(40, 0), (0, 60), (10, 0)]).unwrap();
        assert!((apart.cramers_v - 1.0).abs() < 1e-12 && (apart.distance - 1.0).abs() < 1e-12, "{apart:?}");
    }

    #[test]
    fn samples_of_one_category_are_alike_and_small_ones_count_together() {
        let alike = homogeneity(&[(10, 400)]).unwrap();
        assert_eq!((alike.distance, alike.freedom, alike.p), (0.0, 0, PValue::ONE));
        assert_eq!(homogeneity(&[(0, 10)]), None);
        assert_eq!(homogeneity(&[]), None);
        let many_small: Vec<(u64, u64)> = (0..20).map(|index| (index % 2, 1 - index % 2)).chain([(100, 100)]).collect();
        assert_eq!(homogeneity(&many_small).unwrap().freedom, 1);
    }
}
