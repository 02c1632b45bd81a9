//! Many tests at once.

/// Adjusts p-values for the false discovery rate: pᵢ·m/i for the i-th smallest, made monotone from the
/// largest down, 1 at the most. In the order given.
///
/// Source: Benjamini and Hochberg 1995; reference numbers from R's `p.adjust`.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*b].total_cmp(&p_values[*a]));
    let (count, mut least) = (p_values.len() as f64, 1.0_f64);
    let mut adjusted = vec![1.0; p_values.len()];
    for (from_largest, index) in order.into_iter().enumerate() {
        let rank = count - from_largest as f64;
        least = least.min(p_values[index] * count / rank);
        adjusted[index] = least;
    }
    adjusted
}

/// Adjusts p-values so that not even one false finding is likely: pᵢ·(m − i + 1) for the i-th smallest, made monotone
/// from the smallest up, 1 at the most. In the order given.
///
/// Source: Holm 1979, Scandinavian Journal of Statistics 6:65; reference numbers from GrowthBook.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let (count, mut most) = (p_values.len() as f64, 0.0_f64);
    let mut adjusted = vec![1.0; p_values.len()];
    for (from_smallest, index) in order.into_iter().enumerate() {
        most = most.max(p_values[index] * (count - from_smallest as f64)).min(1.0);
        adjusted[index] = most;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn benjamini_hochberg_has_the_numbers_of_r() {
        let adjusted = benjamini_hochberg(&[0.898, 0.138, 0.007, 0.964, 0.538, 0.006, 0.138]);
        let wanted = [0.964, 0.241_5, 0.024_5, 0.964, 0.753_2, 0.024_5, 0.241_5];
        assert!(adjusted.iter().zip(wanted).all(|(p, wanted)| (p - wanted).abs() < 5e-5), "{adjusted:?}");
        assert_eq!(benjamini_hochberg(&[]), Vec::<f64>::new());
    }

    #[test]
    fn holm_has_the_numbers_of_growthbook() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005, 0.55, 0.6]);
        let wanted = [0.05, 0.12, 0.12, 0.03, 1.0, 1.0];
        assert!(adjusted.iter().zip(wanted).all(|(p, wanted)| (p - wanted).abs() < 1e-12), "{adjusted:?}");
        assert_eq!(holm(&[]), Vec::<f64>::new());
    }

    proptest! {
        #[test]
        fn no_adjustment_makes_a_p_value_smaller_and_holms_are_the_larger(p_values in prop::collection::vec(1e-300..=1.0_f64, 1..30)) {
            let (discovery, error) = (benjamini_hochberg(&p_values), holm(&p_values));
            for (index, p) in p_values.iter().enumerate() {
                prop_assert!(*p <= discovery[index] * (1.0 + 1e-12) && discovery[index] <= error[index] * (1.0 + 1e-12) && error[index] <= 1.0);
            }
        }
    }
}
