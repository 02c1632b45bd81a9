//! Statistics: pure functions with their formula, units and source.

/// The quantile of the standard normal distribution at 0.975, for two-sided 95 % intervals.
const Z_95: f64 = 1.959_963_984_540_054;

/// Wilson's score interval of a proportion, 95 %: [lower, upper], each a ratio 0–1.
///
/// (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) ÷ (1 + z²/n). `None` without a sample, and where there are
/// more successes than trials, which is no proportion.
///
/// Source: Wilson 1927; reference numbers from Newcombe 1998, Statistics in Medicine 17:857.
pub fn wilson_interval(successes: u64, trials: u64) -> Option<[f64; 2]> {
    if trials == 0 || successes > trials {
        return None;
    }
    let n = trials as f64;
    let p = successes as f64 / n;
    let z2 = Z_95 * Z_95;
    let middle = p + z2 / (2.0 * n);
    let half = Z_95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // At the ends the formula gives exactly 0 and 1, but for rounding.
    let lower = if successes == 0 { 0.0 } else { (middle - half) / scale };
    let upper = if successes == trials { 1.0 } else { (middle + half) / scale };
    Some([lower, upper])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_interval(successes: u64, trials: u64, [lower, upper]: [f64; 2]) {
        let interval = wilson_interval(successes, trials).unwrap();
        assert!((interval[0] - lower).abs() < 1e-6 && (interval[1] - upper).abs() < 1e-6, "{interval:?}");
    }

    #[test]
    fn wilson_interval_has_newcombes_numbers() {
        assert_interval(81, 263, [0.255_289, 0.366_210]);
        assert_interval(0, 20, [0.0, 0.161_125]);
        assert_interval(20, 20, [1.0 - 0.161_125, 1.0]);
    }

    #[test]
    fn without_a_proportion_there_is_no_interval() {
        assert_eq!(wilson_interval(0, 0), None);
        assert_eq!(wilson_interval(2, 1), None);
    }
}
