//! The question for totals.

use super::super::schemas::SpanFilters;
use crate::query::{Comparison, DateRange, Filters, Verify, question};

question! {
    /// What are the totals?
    pub struct TotalsQuestion {
        date_range: DateRange,
        filters: Filters<SpanFilters>,
        comparison: Comparison,
        verify: Verify,
    }
}
