//! Whether an experiment ran as planned.

use super::input::Experiment;
use super::schemas::{ExperimentHealth, MultipleExposuresView, Srm};
use crate::statistics::sample_ratio;

/// p below which units did not come as planned, and exposures from which on that is said.
const ALARM: (f64, u64) = (0.001, 100);

/// Whether p says that units did not come as planned, of so many exposures.
pub fn is_alarming(p: f64, exposures: u64) -> bool {
    p < ALARM.0 && exposures >= ALARM.1
}

/// Whether exposures are enough to say so.
pub fn is_enough(exposures: u64) -> bool {
    exposures >= ALARM.1
}

/// Exposures that count: those of arms with a weight.
pub fn planned_exposures(arms: &[(u64, f64)]) -> u64 {
    let planned = arms.iter().filter(|(_, weight)| *weight > 0.0);
    planned.fold(0, |sum, (exposures, _)| sum.saturating_add(*exposures))
}

/// Whether exposures came to the arms by their weights, each arm a pair. `None` where nothing can be said.
pub fn srm(arms: &[(u64, f64)]) -> Option<Srm> {
    sample_ratio(arms).map(|ratio| Srm {
        chi_squared: ratio.chi_squared,
        p_value: ratio.p.value,
        p_log10: ratio.p.log10,
        sequential_p_value: ratio.sequential.value,
        alarm: is_alarming(ratio.p.value, planned_exposures(arms)),
    })
}

pub fn health(experiment: &Experiment) -> ExperimentHealth {
    let arms: Vec<(u64, f64)> = experiment.arms.iter().map(|arm| (arm.exposures, arm.weight)).collect();
    let multiple = experiment.multiple_exposures;
    ExperimentHealth {
        srm: srm(&arms),
        multiple_exposures: MultipleExposuresView { units: multiple.units, handling: multiple.handling },
    }
}
