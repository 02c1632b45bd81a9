//! The question for the list of experiments, and its rows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::analysis::srm;
use super::super::repository::EXPOSURES;
use super::super::schemas::VariantUnits;
use super::super::service::MOST_VARIANTS;
use crate::answer::table_row;
use crate::query::dataset::Dataset;
use crate::query::filters::FilterSet;
use crate::query::{DateRange, Filters, Paging, question};

/// Filters of exposures, and which experiments they are of.
#[derive(Debug, Clone, Copy)]
pub struct ListFilters;

impl FilterSet for ListFilters {
    const DATASET: &'static Dataset = &EXPOSURES;
    const LISTS: &'static [(&'static str, &'static str)] =
        &[("experiment_ids", "experiment_id"), ("profile_codes", "profile_code"), ("platforms", "platform")];
}

question! {
    /// Which experiments are there?
    pub struct ExperimentsQuestion {
        date_range: DateRange,
        filters: Filters<ListFilters>,
        paging: Paging<ListedExperiment>,
    }
}

table_row! {
    /// An experiment, and how units came to it.
    pub struct ListedExperiment {
        #[schema(example = "reply-tone")]
        experiment_id: String,
        /// Units that were first exposed in the range, without those of several variants.
        #[schema(example = 4210)]
        units: u64,
        /// Exposures of all units that were first exposed in the range, also after its end.
        #[schema(example = 9870)]
        exposures: u64,
        /// Units that were first exposed in the range, and to several variants before its end.
        #[schema(example = 12)]
        multiple_units: u64,
        /// The first exposure of all that pass the filters, whenever it was, in UTC.
        #[schema(example = "2026-02-01T08:12:44.000000Z")]
        first_exposure: String,
        /// The newest exposure of all that pass the filters, whenever it was, in UTC.
        #[schema(example = "2026-02-07T22:10:03.250000Z")]
        newest_exposure: String,
        /// Whether the newest exposure is less than a day ago.
        is_running: bool,
    }
    beside {
        /// By name, at most 50: each variant to which there was ever an exposure that passes the filters, with its part of `units`.
        variants: Vec<VariantUnits>,
        /// Whether units came in equal parts.
        srm: EqualParts,
    }
    sorted by "-newest_exposure", told apart by "experiment_id"
}

/// Sample ratio mismatch, where equal parts were planned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(from = "Vec<u64>")]
pub struct EqualParts {
    /// For one look; null without a unit, with one variant, and with more than 50.
    #[schema(example = 0.42)]
    pub p_value: Option<f64>,
    /// p below 0.001, from 100 units on.
    pub alarm: bool,
}

impl From<Vec<u64>> for EqualParts {
    /// Of the units of each variant.
    fn from(units: Vec<u64>) -> Self {
        let arms: Vec<(u64, f64)> = units.into_iter().map(|units| (units, 1.0)).collect();
        let srm = if arms.len() > MOST_VARIANTS { None } else { srm(&arms) };
        Self { p_value: srm.map(|srm| srm.p_value), alarm: srm.is_some_and(|srm| srm.alarm) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_parts_are_no_alarm_and_unequal_ones_are_from_a_hundred_units_on() {
        let of = |units: &[u64]| EqualParts::from(units.to_vec());
        assert_eq!(of(&[50, 50]), EqualParts { p_value: Some(1.0), alarm: false });
        assert!(of(&[100, 0]).alarm && !of(&[90, 0]).alarm);
        for nothing in [vec![], vec![7], vec![0, 0], vec![1; MOST_VARIANTS + 1]] {
            assert_eq!(of(&nothing), EqualParts { p_value: None, alarm: false });
        }
    }
}
