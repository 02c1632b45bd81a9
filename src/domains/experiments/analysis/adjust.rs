//! p-values, adjusted for how many there are.

use super::input::{Correction, CorrectionScope, Settings};
use super::schemas::{Compared, MetricAnalysis, Variant};
use crate::statistics::{benjamini_hochberg, holm};

/// A p-value of a comparison, and its adjusted one.
type Reach = fn(&mut Compared) -> Option<(f64, &mut f64)>;

/// Adjusts the p-values of fixed tests among themselves, and those of sequential tests. Baselines of nothing and
/// other comparisons without a p-value do not count.
pub fn adjust(metrics: &mut [MetricAnalysis], settings: &Settings) {
    let fixed: Reach = |compared| compared.p_value.zip(compared.p_value_adjusted.as_mut());
    let sequential: Reach = |compared| {
        compared.sequential.as_mut().map(|sequential| (sequential.p_value, &mut sequential.p_value_adjusted))
    };
    for reach in [fixed, sequential] {
        for family in families(metrics, settings.correction_scope) {
            adjust_family(family, settings.correction, reach);
        }
    }
}

/// The comparisons whose p-values are adjusted together.
fn families(metrics: &mut [MetricAnalysis], scope: CorrectionScope) -> Vec<Vec<&mut Compared>> {
    let mut families: Vec<(Option<String>, Vec<&mut Compared>)> = Vec::new();
    for metric in metrics {
        let id = metric.id.clone();
        for compared in metric.variants.iter_mut().filter_map(compared) {
            let key = match scope {
                CorrectionScope::All => None,
                CorrectionScope::Metric => Some(id.clone()),
                CorrectionScope::Variant => Some(compared.measured.variant.clone()),
            };
            match families.iter_mut().find(|(known, _)| *known == key) {
                Some((_, family)) => family.push(compared),
                None => families.push((key, vec![compared])),
            }
        }
    }
    families.into_iter().map(|(_, family)| family).collect()
}

fn compared(variant: &mut Variant) -> Option<&mut Compared> {
    match variant {
        Variant::Compared(compared) => Some(compared),
        Variant::Alone(_) => None,
    }
}

fn adjust_family(mut family: Vec<&mut Compared>, correction: Correction, reach: Reach) {
    let (p_values, places): (Vec<f64>, Vec<&mut f64>) =
        family.iter_mut().filter_map(|compared| reach(compared)).unzip();
    let adjusted = match correction {
        Correction::BenjaminiHochberg => benjamini_hochberg(&p_values),
        Correction::Holm => holm(&p_values),
        Correction::None => p_values,
    };
    for (place, adjusted) in places.into_iter().zip(adjusted) {
        *place = adjusted;
    }
}
