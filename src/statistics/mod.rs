//! Statistics: pure functions with their formula, units and source.
//!
//! They work on sufficient statistics, one of each sample, never on rows. Distributions come from a library.

mod counts;
mod distributions;
mod means;
mod multiple;
mod proportions;
mod quantiles;
mod robust;

pub use counts::{Homogeneity, homogeneity};
pub use distributions::PValue;
pub use means::{Sample, mean_interval, welch};
pub use multiple::benjamini_hochberg;
pub use proportions::{Proportion, two_proportions, wilson_interval};
pub use quantiles::{QuantileEstimate, quantile_difference, quantile_levels};
pub use robust::{Centre, median, robust_centre};

/// The quantile of the standard normal distribution at 0.975, for two-sided 95 % intervals.
pub const Z_95: f64 = 1.959_963_984_540_054;
/// What two-sided 95 % intervals leave out.
const ALPHA: f64 = 0.05;

/// What a test says about the difference of a candidate from a baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Candidate − baseline, in their unit.
    pub value: f64,
    /// 95 %, [lower, upper].
    pub interval: [f64; 2],
    /// Two-sided: how likely a difference as large is when there is none.
    pub p: PValue,
}
