//! The question for retention, and what it is answered with.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;

use super::super::schemas::UseFilters;
use super::super::steps::{EventOf, WRITTEN};
use crate::answer::{Meta, Shape, csv_of};
use crate::query::{
    DateRange, Filters, FromParameters, Level, Parameters, Verify, parameter, question, required_text, take_required,
    take_whole_number, vocabulary, whole_number,
};

const MOST_PERIODS: u64 = 26;

vocabulary! {
    /// What cohorts and returns are counted by.
    pub enum Period as "period" {
        Day = "day",
        Week = "week",
        Month = "month",
    }
}

parameter!(
    Period,
    Period::Week,
    "What cohorts and returns are counted by, in the time zone of the question; weeks begin on Monday."
);

impl Period {
    pub const fn level(self) -> Level {
        match self {
            Self::Day => Level::Day,
            Self::Week => Level::Week,
            Self::Month => Level::Month,
        }
    }
}

vocabulary! {
    /// Which event makes a user one of a cohort.
    pub enum CohortBy as "cohort_by" {
        FirstInRange = "first_in_range",
        FirstEver = "first_ever",
    }
}

parameter!(
    CohortBy,
    CohortBy::FirstInRange,
    "Which cohort event counts: each user's `first_in_range`, or the `first_ever`, so that whoever had one before the range is in no cohort."
);

vocabulary! {
    /// When a user counts as returned.
    pub enum Returned as "returned" {
        On = "on",
        OnOrAfter = "on_or_after",
    }
}

parameter!(Returned, Returned::On, "When a user counts as returned in a period: `on` it, or `on_or_after` it.");

question! {
    /// Who returned?
    pub struct RetentionQuestion {
        events: CohortAndReturn,
        period: Period,
        periods: Periods,
        cohort_by: CohortBy,
        returned: Returned,
        date_range: DateRange,
        filters: Filters<UseFilters>,
        verify: Verify,
    }
}

/// What begins, and what is a return.
#[derive(Debug, Clone, PartialEq)]
pub struct CohortAndReturn {
    pub cohort: EventOf,
    pub returns: EventOf,
}

const COHORT_EVENT: &str = "cohort_event";
const RETURN_EVENT: &str = "return_event";

impl FromParameters for CohortAndReturn {
    fn describe() -> Vec<Parameter> {
        let of = |name, what: &str| {
            required_text(name, &format!("{what} {WRITTEN}")).example(Some("page_viewed".into())).build()
        };
        vec![of(COHORT_EVENT, "What users of a cohort began with."), of(RETURN_EVENT, "What is a return.")]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let mut read = |name| {
            let written = take_required(parameters, name)?;
            match EventOf::read(name, &written) {
                Ok(event) => Some(event),
                Err(problem) => parameters.refuse(problem),
            }
        };
        let (cohort, returns) = (read(COHORT_EVENT), read(RETURN_EVENT));
        Some(Self { cohort: cohort?, returns: returns? })
    }
}

/// How many periods are looked at behind the one of the cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Periods(pub u64);

impl FromParameters for Periods {
    fn describe() -> Vec<Parameter> {
        vec![
            whole_number(
                "periods",
                "How many periods are looked at behind the one that a cohort began in.",
                (1, MOST_PERIODS),
                12,
            )
            .build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        take_whole_number(parameters, "periods", (1, MOST_PERIODS), 12).map(Self)
    }
}

/// Cohorts, and who of them returned.
#[derive(Debug, Serialize, ToSchema)]
pub struct Retention {
    #[schema(example = "week")]
    pub period: &'static str,
    /// By the period that they began in.
    pub cohorts: Vec<Cohort>,
    /// Over all cohorts, by the periods since they began; of complete cells only.
    pub mean: Vec<MeanCell>,
    pub meta: Meta,
}

/// Users who began in one period.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Cohort {
    /// When the period begins.
    #[schema(example = "2026-02-02T00:00:00+00:00")]
    pub start: String,
    #[schema(example = 120)]
    pub users: u64,
    /// Whether the range or the present cuts the period, so that not all who began in it are there.
    pub is_partial: bool,
    /// The first is the period in which they began.
    pub cells: Vec<RetentionCell>,
}

/// One cohort in one period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct RetentionCell {
    /// Periods since the one in which they began.
    #[schema(example = 1)]
    pub offset: usize,
    /// Whether the period is over, and whole within the range.
    pub is_complete: bool,
    /// Users who returned ÷ users of the cohort; null where it is not complete, and without any.
    #[schema(example = 0.4)]
    pub rate: Option<f64>,
    #[schema(example = 48)]
    pub rate_numerator: Option<u64>,
    #[schema(example = 120)]
    pub rate_denominator: Option<u64>,
}

/// All cohorts in one period since they began.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct MeanCell {
    #[schema(example = 1)]
    pub offset: usize,
    /// Cohorts whose cells are complete.
    #[schema(example = 11)]
    pub cohorts: u64,
    /// Their users who returned ÷ their users.
    #[schema(example = 0.38)]
    pub rate: Option<f64>,
    #[schema(example = 502)]
    pub rate_numerator: u64,
    #[schema(example = 1321)]
    pub rate_denominator: u64,
}

impl Shape for Retention {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            /// The cohort; `mean` for all together.
            cohort: &'a str,
            users: u64,
            offset: usize,
            rate: Option<f64>,
            rate_numerator: Option<u64>,
            rate_denominator: Option<u64>,
        }
        let cohorts = self.cohorts.iter().flat_map(|cohort| {
            cohort.cells.iter().map(|cell| Line {
                cohort: &cohort.start,
                users: cohort.users,
                offset: cell.offset,
                rate: cell.rate,
                rate_numerator: cell.rate_numerator,
                rate_denominator: cell.rate_denominator,
            })
        });
        let mean = self.mean.iter().map(|cell| Line {
            cohort: "mean",
            users: cell.rate_denominator,
            offset: cell.offset,
            rate: cell.rate,
            rate_numerator: Some(cell.rate_numerator),
            rate_denominator: Some(cell.rate_denominator),
        });
        csv_of(&cohorts.chain(mean).collect::<Vec<_>>())
    }
}
