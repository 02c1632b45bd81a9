//! Questions for tables about the product, and their rows.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;

use super::super::schemas::{PeopleFilters, UseFilters};
use crate::answer::{Meta, Shape, csv_of, table_row};
use crate::query::{
    DateRange, Filters, FromParameters, MOST_GROUPS, Paging, Parameters, Sortable, Verify, question, required_text,
    take_required, take_whole_number, whole_number,
};

question! {
    /// A table of what was used; each kind has rows of its own.
    pub struct TableQuestion<R: Sortable> {
        date_range: DateRange,
        filters: Filters<UseFilters>,
        paging: Paging<R>,
        verify: Verify,
    }
}

question! {
    /// Which share of the active users used what?
    pub struct AdoptionQuestion {
        date_range: DateRange,
        filters: Filters<PeopleFilters>,
        paging: Paging<Adoption>,
        verify: Verify,
    }
}

question! {
    /// Where did users go from a route?
    pub struct PathsQuestion {
        from_route: FromRoute,
        date_range: DateRange,
        filters: Filters<PeopleFilters>,
        verify: Verify,
    }
}

/// The route that is looked at, and how many next ones are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromRoute {
    pub route: String,
    pub top: u64,
}

impl FromParameters for FromRoute {
    fn describe() -> Vec<Parameter> {
        vec![
            required_text("route", "The pattern of the route that is looked at.")
                .example(Some("/reports/:id".into()))
                .build(),
            whole_number("top", "How many next routes are told apart.", (1, MOST_GROUPS), 20).build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let route = take_required(parameters, "route");
        let top = take_whole_number(parameters, "top", (1, MOST_GROUPS), 20);
        Some(Self { route: route?, top: top? })
    }
}

table_row! {
    /// How one route was viewed.
    pub struct Route {
        #[schema(example = "/reports/:id")]
        route_pattern: String,
        /// Page views.
        #[schema(example = 4210)]
        views: u64,
        /// Different users.
        #[schema(example = 312)]
        users: u64,
        #[schema(example = 13.49)]
        views_per_user: f64,
    }
    sorted by "-views", told apart by "route_pattern"
}

table_row! {
    /// How one feature was viewed.
    pub struct Feature {
        /// Null for events that name none.
        #[schema(example = "saved-views")]
        feature: Option<String>,
        #[schema(example = 870)]
        views: u64,
        /// Different users.
        #[schema(example = 141)]
        users: u64,
        #[schema(example = 6.17)]
        views_per_user: f64,
    }
    sorted by "-users", told apart by "feature"
}

table_row! {
    /// How one filter was changed.
    pub struct Filter {
        /// Where it is; null for events that do not say.
        #[schema(example = "calls")]
        view: Option<String>,
        #[schema(example = "team")]
        filter_key: Option<String>,
        #[schema(example = 640)]
        changes: u64,
        /// Different users.
        #[schema(example = 98)]
        users: u64,
        /// How many values were selected on average; null where no change tells it.
        #[schema(example = 2.3)]
        value_count_mean: Option<f64>,
    }
    sorted by "-changes", told apart by "view", "filter_key"
}

table_row! {
    /// What was done with one chart.
    pub struct ChartInteraction {
        /// Null for events that name none.
        #[schema(example = "handling-time")]
        chart: Option<String>,
        #[schema(example = "zoom")]
        action: Option<String>,
        #[schema(example = "report")]
        surface: Option<String>,
        #[schema(example = 530)]
        interactions: u64,
        /// Different users.
        #[schema(example = 77)]
        users: u64,
    }
    sorted by "-interactions", told apart by "chart", "action", "surface"
}

table_row! {
    /// How often one error happened on one route.
    pub struct ClientError {
        #[schema(example = "/reports/:id")]
        route_pattern: String,
        /// Where it was caught; null for errors that do not say.
        #[schema(example = "chart")]
        boundary: Option<String>,
        #[schema(example = "TypeError")]
        error_class: Option<String>,
        #[schema(example = 42)]
        errors: u64,
        /// Different users who had it.
        #[schema(example = 31)]
        affected_users: u64,
    }
    sorted by "-errors", told apart by "route_pattern", "boundary", "error_class"
}

table_row! {
    /// How far one feature is spread among those who are active.
    pub struct Adoption {
        /// Null for events that name none.
        #[schema(example = "saved-views")]
        feature: Option<String>,
        /// Different users who viewed it.
        #[schema(example = 141)]
        users: u64,
        /// Users of the feature ÷ active users.
        #[schema(example = 0.41)]
        adoption_rate: f64,
        /// Users of the feature.
        #[schema(example = 141)]
        adoption_rate_numerator: u64,
        /// Active users.
        #[schema(example = 344)]
        adoption_rate_denominator: u64,
        /// Those who had not viewed it before the range.
        #[schema(example = 52)]
        new_users: u64,
        /// Those who had.
        #[schema(example = 89)]
        returning_users: u64,
        #[schema(example = 870)]
        views: u64,
    }
    sorted by "-users", told apart by "feature"
}

/// What came after a route.
#[derive(Debug, Serialize, ToSchema)]
pub struct Paths {
    #[schema(example = "/reports/:id")]
    pub route: String,
    /// Views of it.
    #[schema(example = 4210)]
    pub views: u64,
    /// The most frequent next route first; then all that are not told apart, then ends of sessions.
    pub next: Vec<Next>,
    pub meta: Meta,
}

/// What came next.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Next {
    pub kind: NextKind,
    /// Null for `other` and `exit`.
    #[schema(example = "/settings")]
    pub route_pattern: Option<String>,
    /// Views after which it came.
    #[schema(example = 830)]
    pub views: u64,
    /// Those ÷ all views of the route.
    #[schema(example = 0.197)]
    pub share: f64,
    #[schema(example = 830)]
    pub share_numerator: u64,
    #[schema(example = 4210)]
    pub share_denominator: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NextKind {
    Route,
    /// All next routes that are not told apart.
    Other,
    /// Nothing came next in the session, within the range.
    Exit,
}

impl Shape for Paths {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        csv_of(&self.next)
    }
}
