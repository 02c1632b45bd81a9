//! The question for active users.

use super::super::schemas::UseFilters;
use crate::query::{Aggregation, Comparison, DateRange, Filters, Verify, parameter, question, vocabulary};

vocabulary! {
    /// How far active users are looked back for.
    pub enum Window as "window" {
        Day = "day",
        Week = "week",
        Month = "month",
    }
}

parameter!(
    Window,
    Window::Day,
    "How far each value looks back: over a `day`, a `week` of 7 days or a `month` of 30, in the time zone of the question, to the end of its bucket."
);

impl Window {
    pub const fn days(self) -> usize {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }
}

question! {
    /// How many users were active over time?
    pub struct ActiveUsersQuestion {
        window: Window,
        date_range: DateRange,
        aggregation: Aggregation,
        filters: Filters<UseFilters>,
        comparison: Comparison,
        verify: Verify,
    }
}
