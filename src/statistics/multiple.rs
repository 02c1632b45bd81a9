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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benjamini_hochberg_has_the_numbers_of_r() {
        let adjusted = benjamini_hochberg(&[0.898, 0.138, 0.007, 0.964, 0.538, 0.006, 0.138]);
        let wanted = [0.964, 0.241_5, 0.024_5, 0.964, 0.753_2, 0.024_5, 0.241_5];
        assert!(adjusted.iter().zip(wanted).all(|(p, wanted)| (p - wanted).abs() < 5e-5), "{adjusted:?}");
        assert_eq!(benjamini_hochberg(&[]), Vec::<f64>::new());
    }
}
