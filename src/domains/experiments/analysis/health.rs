//! Whether an experiment ran as planned.

use super::input::Experiment;
use super::schemas::{ExperimentHealth, MultipleExposuresView, Srm};
use crate::statistics::sample_ratio;

/// p below which units did not come as planned, and exposures from which on that is said.
const ALARM: (f64, u64) = (0.001, 100);

pub fn health(experiment: &Experiment) -> ExperimentHealth {
    let arms: Vec<(u64, f64)> = experiment.arms.iter().map(|arm| (arm.exposures, arm.weight)).collect();
    let exposures = arms.iter().filter(|(_, weight)| *weight > 0.0).map(|(exposures, _)| *exposures);
    let exposures = exposures.fold(0, u64::saturating_add);
    let srm = sample_ratio(&arms).map(|ratio| Srm {
        chi_squared: ratio.chi_squared,
        p_value: ratio.p.value,
        p_log10: ratio.p.log10,
        sequential_p_value: ratio.sequential.value,
        alarm: ratio.p.value < ALARM.0 && exposures >= ALARM.1,
    });
    let multiple = experiment.multiple_exposures;
    ExperimentHealth {
        srm,
        multiple_exposures: MultipleExposuresView { units: multiple.units, handling: multiple.handling },
    }
}
