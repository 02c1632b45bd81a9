//! Questions for charts of an experiment.

use super::super::analysis::Handling;
use super::super::schemas::ExposureFilters;
use crate::query::{Aggregation, DateRange, Filters, question};

question! {
    /// How many units were exposed over time?
    pub struct ExposuresQuestion {
        date_range: DateRange,
        aggregation: Aggregation,
        multiple_exposures: Handling,
        filters: Filters<ExposureFilters>,
    }
}
