//! Questions for charts of an experiment.

use super::super::analysis::Handling;
use super::super::schemas::{ConversionWindow, ExposureFilters, Goal, Plan, Sureness};
use crate::query::{Aggregation, DateRange, Filters, parameter, question, vocabulary};

question! {
    /// How many units were exposed over time?
    pub struct ExposuresQuestion {
        date_range: DateRange,
        aggregation: Aggregation,
        multiple_exposures: Handling,
        filters: Filters<ExposureFilters>,
    }
}

question! {
    /// How did conversion come to what it is?
    pub struct ConversionQuestion {
        date_range: DateRange,
        aggregation: Aggregation,
        goal: Goal,
        conversion_window: ConversionWindow,
        shown: ConversionShown,
        plan: Plan,
        multiple_exposures: Handling,
        sureness: Sureness,
        filters: Filters<ExposureFilters>,
    }
}

vocabulary! {
    /// What a chart of conversion shows.
    pub enum ConversionShown as "show" {
        /// The conversion of each variant.
        Rate = "rate",
        /// The relative lift of each variant over the baseline.
        Lift = "lift",
    }
}

parameter!(
    ConversionShown,
    ConversionShown::Rate,
    "What is shown: `rate` = the conversion of each variant; `lift` = (variant − baseline) ÷ baseline of the others."
);
