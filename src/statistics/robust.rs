//! Centres and scales that a few odd values do not move.

/// The factor that makes the median absolute deviation of a normal distribution its standard deviation.
const OF_NORMAL: f64 = 1.482_602_218_505_602;

/// The centre of some values and how far they usually lie from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Centre {
    pub median: f64,
    /// 1.4826 × the median absolute deviation, in the unit of the values; at least the floor.
    pub scale: f64,
}

impl Centre {
    /// How many scales a value lies above the centre.
    pub fn score(self, value: f64) -> f64 {
        (value - self.median) / self.scale
    }
}

/// The median, and the median absolute deviation as a scale, which is never below `floor`: values that hardly
/// vary would make everything else odd. `None` without values.
///
/// Source: Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers.
pub fn robust_centre(values: &[f64], floor: impl Fn(f64) -> f64) -> Option<Centre> {
    let median = median(values)?;
    let deviations: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    let scale = OF_NORMAL * self::median(&deviations)?;
    Some(Centre { median, scale: scale.max(floor(median)) })
}

/// The middle value, or the middle between the two of an even number. `None` without values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len().checked_sub(1)? / 2;
    Some(if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle], sorted[middle + 1]) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_odd_values_move_neither_centre_nor_scale() {
        let centre = robust_centre(&[10.0, 11.0, 9.0, 10.0, 12.0, 8.0, 1_000.0], |_| 0.0).unwrap();
        assert_eq!(centre.median, 10.0);
        assert!((centre.scale - OF_NORMAL).abs() < 1e-12, "{centre:?}");
        assert!((centre.score(1_000.0) - 990.0 / OF_NORMAL).abs() < 1e-9);
        assert_eq!(robust_centre(&[], |_| 1.0), None);
        assert_eq!(robust_centre(&[1.0, 2.0], |_| 0.0).unwrap().median, 1.5);
    }

    #[test]
    fn values_that_hardly_vary_have_the_floor_as_their_scale() {
        let centre = robust_centre(&[5.0; 9], |median| median * 0.1).unwrap();
        assert_eq!((centre.scale, centre.score(6.0)), (0.5, 2.0));
    }
}
