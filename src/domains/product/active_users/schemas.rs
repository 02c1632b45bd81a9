//! The question for active users.

use utoipa::openapi::path::Parameter;

use super::super::schemas::UseFilters;
use crate::query::{
    Aggregation, Comparison, DateRange, Filters, FromParameters, Level, Parameters, Problem, Verify, choice, parameter,
    question, vocabulary,
};

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
        aggregation: DailyAggregation,
        filters: Filters<UseFilters>,
        comparison: Comparison,
        verify: Verify,
    }
}

/// The unit of a time axis of whole days.
#[derive(Debug, Clone, Copy)]
pub struct DailyAggregation(pub Aggregation);

const LEVELS: [&str; 6] = ["auto", "day", "week", "month", "quarter", "year"];

impl FromParameters for DailyAggregation {
    fn describe() -> Vec<Parameter> {
        let description = "Unit of the time axis, in the time zone of the question; a day at least. `auto` aims at about 50 buckets; weeks begin on Monday; more than 2,000 buckets are refused.";
        vec![choice(Level::PARAMETER, description, &LEVELS, Some(Level::Auto.name())).build()]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let Aggregation(level) = Aggregation::take(parameters)?;
        if LEVELS.contains(&level.name()) {
            return Some(Self(Aggregation(level)));
        }
        parameters.refuse(Problem::not_allowed(Level::PARAMETER, level.name(), &LEVELS))
    }
}
