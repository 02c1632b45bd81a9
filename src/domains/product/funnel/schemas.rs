//! The question for a funnel, and what it is answered with.

use chrono::Duration;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::Required;
use utoipa::openapi::path::Parameter;

use super::super::schemas::UseFilters;
use super::super::steps::{EventOf, WRITTEN};
use crate::answer::{Meta, Shape, csv_of};
use crate::query::{
    Comparison, DateRange, Filters, FromParameters, Parameters, Problem, Split, Verify, dimension, list, parameter,
    question, take_length, text, vocabulary,
};

const FEWEST_STEPS: usize = 2;
const MOST_STEPS: usize = 10;

vocabulary! {
    /// What goes through a funnel.
    pub enum Unit as "unit" {
        User = "user",
        Session = "session",
    }
}

parameter!(Unit, Unit::User, "What goes through the funnel: users, or sessions.");

vocabulary! {
    /// What may lie between steps.
    pub enum Order as "order" {
        /// Other events.
        Loose = "loose",
        /// Nothing.
        Strict = "strict",
    }
}

parameter!(
    Order,
    Order::Loose,
    "Whether other events may lie between steps: `loose`, or `strict`, where each step is the very next event."
);

dimension! {
    /// What a funnel can be split by: a field of the first step.
    pub enum FunnelDimension {
        Source = "source" of "source",
        Organisation = "organisation" of "org_id_hash",
        SchemaVersion = "schema_version" of "schema_version",
        RoutePattern = "route_pattern" of "route_pattern",
        Feature = "feature" of "feature",
        Surface = "surface" of "surface",
        View = "view" of "view",
        FilterKey = "filter_key" of "filter_key",
        Chart = "chart" of "chart",
        Action = "action" of "action",
    }
}

question! {
    /// How far did they come?
    pub struct FunnelQuestion {
        steps: Steps,
        window: ConversionWindow,
        order: Order,
        unit: Unit,
        date_range: DateRange,
        split: Split<FunnelDimension>,
        filters: Filters<UseFilters>,
        comparison: Comparison,
        verify: Verify,
    }
}

/// The steps, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps(pub Vec<EventOf>);

impl Steps {
    const PARAMETER: &'static str = "steps";
}

impl FromParameters for Steps {
    fn describe() -> Vec<Parameter> {
        let description =
            format!("The steps in their order, repeatable, {FEWEST_STEPS} to {MOST_STEPS} of them. {WRITTEN}");
        let example = serde_json::json!(["page_viewed", "feature_viewed;feature:eq:export"]);
        vec![list(Self::PARAMETER, &description).required(Required::True).example(Some(example)).build()]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let written = parameters.many(Self::PARAMETER);
        if !(FEWEST_STEPS..=MOST_STEPS).contains(&written.len()) {
            let detail = format!("has {} steps: {FEWEST_STEPS} to {MOST_STEPS} are allowed", written.len());
            let allowed: Vec<&str> = crate::ingest::product_event::names().collect();
            return parameters.refuse(Problem::parameter(Self::PARAMETER, detail).with_allowed(&allowed));
        }
        let mut steps = Vec::new();
        for step in &written {
            match EventOf::read(Self::PARAMETER, step) {
                Ok(step) => steps.push(step),
                Err(problem) => {
                    parameters.refuse::<()>(problem);
                }
            }
        }
        (steps.len() == written.len()).then_some(Self(steps))
    }
}

/// How long a unit has for all steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversionWindow {
    pub length: Duration,
    /// Whether it was asked for; what is not is cut to the range.
    pub is_given: bool,
}

impl ConversionWindow {
    pub const PARAMETER: &'static str = "window";
    const DEFAULT: Duration = Duration::days(7);
    const MOST: Duration = Duration::days(180);
}

impl FromParameters for ConversionWindow {
    fn describe() -> Vec<Parameter> {
        let description = "How long a unit has for all steps, from the first one on: minutes, hours or days, as in `30m`, `12h` or `7d`; at most 180 days, and no longer than the range. Default `7d`, or the range where that is shorter.";
        vec![text(Self::PARAMETER, description).example(Some("7d".into())).build()]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let length = take_length(parameters, Self::PARAMETER, Self::MOST)?;
        Some(Self { length: length.unwrap_or(Self::DEFAULT), is_given: length.is_some() })
    }
}

/// How far units came.
#[derive(Debug, Serialize, ToSchema)]
pub struct Funnel {
    /// `user` or `session`
    #[schema(example = "user")]
    pub unit: &'static str,
    /// `loose` or `strict`
    #[schema(example = "loose")]
    pub order: &'static str,
    #[schema(example = 604_800_000)]
    pub window_ms: i64,
    /// Of all units.
    pub steps: Vec<ProductFunnelStep>,
    /// With `split_by`, the same of each group, the largest first and the rest last.
    pub groups: Vec<FunnelGroup>,
    pub meta: Meta,
}

/// The steps of one group.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FunnelGroup {
    /// `none` for units whose first step has no value, `other` for the rest.
    #[schema(example = "web")]
    pub group: String,
    /// Whether it is all groups that are not told apart.
    pub is_rest: bool,
    pub steps: Vec<ProductFunnelStep>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProductFunnelStep {
    /// Its number, from 1 on.
    #[schema(example = 2)]
    pub step: usize,
    /// As it was asked for.
    #[schema(example = "feature_viewed;feature:eq:export")]
    pub event: String,
    /// Units that came to it.
    #[schema(example = 141)]
    pub units: u64,
    /// Of those of the first step; null without any.
    #[schema(example = 0.41)]
    pub conversion_rate: Option<f64>,
    #[schema(example = 141)]
    pub conversion_rate_numerator: u64,
    #[schema(example = 344)]
    pub conversion_rate_denominator: u64,
    /// Wilson interval of the conversion rate, 95 %.
    #[schema(example = json!([0.359, 0.463]))]
    pub interval: Option<[f64; 2]>,
    /// Of those of the step before; null for the first step, and without any.
    #[schema(example = 0.62)]
    pub step_rate: Option<f64>,
    #[schema(example = 141)]
    pub step_rate_numerator: u64,
    /// Null for the first step.
    #[schema(example = 227)]
    pub step_rate_denominator: Option<u64>,
    /// Units that came to the step before and no further.
    #[schema(example = 86)]
    pub dropped: Option<u64>,
    /// Those ÷ the units of the step before.
    #[schema(example = 0.38)]
    pub drop_off_rate: Option<f64>,
    /// From the first step, in half of the units at the most, in milliseconds.
    #[schema(example = 92_000.0)]
    pub from_first_p50_ms: Option<f64>,
    pub from_first_p90_ms: Option<f64>,
    /// From the step before.
    #[schema(example = 41_000.0)]
    pub from_previous_p50_ms: Option<f64>,
    pub from_previous_p90_ms: Option<f64>,
    /// The units of the earlier period; null without a comparison.
    pub previous_units: Option<u64>,
    pub previous_conversion_rate: Option<f64>,
    pub previous_step_rate: Option<f64>,
}

impl Shape for Funnel {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            /// Empty for all units.
            group: Option<&'a str>,
            #[serde(flatten)]
            step: &'a ProductFunnelStep,
        }
        let of_all = self.steps.iter().map(|step| Line { group: None, step });
        let of_groups = self
            .groups
            .iter()
            .flat_map(|group| group.steps.iter().map(|step| Line { group: Some(&group.group), step }));
        csv_of(&of_all.chain(of_groups).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_to_ten_steps_are_read_and_all_that_is_wrong_with_them_is_told() {
        let read = |steps: &[&str]| {
            let query: Vec<String> = steps.iter().map(|step| format!("steps={step}")).collect();
            Parameters::read::<Steps>(&query.join("&"))
        };
        assert_eq!(read(&["page_viewed", "page_viewed"]).unwrap().0.len(), 2);
        assert_eq!(read(&["page_viewed"]).unwrap_err().0[0].detail, "has 1 steps: 2 to 10 are allowed");
        assert!(read(&["page_viewed"; 11]).is_err());
        assert_eq!(read(&["a", "page_viewed;b:eq:1"]).unwrap_err().0.len(), 2);
    }
}
