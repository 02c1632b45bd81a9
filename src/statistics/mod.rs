//! Statistics: pure functions with their formula, units and source.
//!
//! They work on sufficient statistics, one of each sample, never on rows. A sample is its size, mean and variance
//! ([`Sample`]), whether an engine computed them by a stable formula or raw sums were given ([`Sums`]). Distributions
//! come from a library; tails that it does not reach are derived from named series.
//!
//! Intervals leave `alpha` out, two-sided: 0.05 makes them 95 %. A p-value is never 0 ([`PValue`]).

mod bayesian;
mod counts;
mod cuped;
mod distributions;
mod evidence;
mod lift;
mod means;
mod multiple;
mod proportions;
mod quantiles;
mod robust;
mod sample_ratio;
mod sample_size;
mod sequential;
mod sums;

pub use bayesian::{Posterior, Prior};
pub use counts::{Homogeneity, homogeneity};
pub use cuped::{Cuped, cuped};
pub use distributions::{PValue, z_quantile};
pub use evidence::Evidence;
pub use lift::Lift;
pub use means::{Sample, mean_interval, welch};
pub use multiple::{benjamini_hochberg, holm};
pub use proportions::{Proportion, two_proportions, wilson_interval};
pub use quantiles::{QuantileEstimate, quantile_difference, quantile_levels};
pub use robust::{Centre, median, robust_centre};
pub use sample_ratio::{SampleRatio, sample_ratio};
pub use sample_size::{Assurance, Judged, times_as_many, units_for_means, units_for_proportions};
pub use sequential::{Sequence, confidence_sequence};
pub use sums::{Impossible, Joint, Sum, Sums};

/// What intervals leave out where nobody says otherwise: they are 95 %.
pub const ALPHA: f64 = 0.05;
/// The quantile of the standard normal distribution at 0.975, for two-sided 95 % intervals.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// What a test says about the difference of a candidate from a baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Candidate − baseline, in their unit, or as a part of the baseline.
    pub value: f64,
    pub standard_error: f64,
    /// [lower, upper]
    pub interval: [f64; 2],
    /// Two-sided: how likely a difference as large is when there is none.
    pub p: PValue,
}
