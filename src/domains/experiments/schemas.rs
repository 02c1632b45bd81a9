//! What questions about an experiment are asked with.

use chrono::Duration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;

use super::analysis::{Correction, CorrectionScope, Direction, Handling, TestChoice};
use super::repository::{EXPOSURES, GOALS};
use crate::json::word;
use crate::query::dataset::{Dataset, FieldName, Kind};
use crate::query::filters::{Condition, FilterSet, Grammar, Operand, Operator, Predicate};
use crate::query::{
    FromParameters, Parameters, Problem, list, number, parameter, required_text, shown, take_length, take_number,
    take_required, take_whole_number, text, vocabulary, whole_number,
};

/// Filters of exposures: whoever else was exposed does not belong to the experiment.
#[derive(Debug, Clone, Copy)]
pub struct ExposureFilters;

impl FilterSet for ExposureFilters {
    const DATASET: &'static Dataset = &EXPOSURES;
    const LISTS: &'static [(&'static str, &'static str)] =
        &[("profile_codes", "profile_code"), ("platforms", "platform")];
}

/// A variant, and units of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(from = "(String, u64)")]
pub struct VariantUnits {
    #[schema(example = "A")]
    pub variant: String,
    #[schema(example = 2105)]
    pub units: u64,
}

impl From<(String, u64)> for VariantUnits {
    fn from((variant, units): (String, u64)) -> Self {
        Self { variant, units }
    }
}

vocabulary! {
    /// What is measured of units.
    pub enum MetricKind as "metric_type" {
        /// The part of the units that did it.
        Conversion = "conversion",
        /// How often a unit did it.
        Count = "count",
        /// `value_field` of what a unit did, added up.
        Mean = "mean",
        /// What units did over what they did of something else.
        Ratio = "ratio",
        /// Events of the goal ÷ exposures, whenever they were: it may exceed 1, and tells nothing of units.
        EventRatio = "event_ratio",
    }
}

parameter!(
    MetricKind,
    MetricKind::Conversion,
    "What is measured: `conversion` = the part of the units that did it; `count` = how often a unit did it; `mean` = `value_field` of what a unit did, added up; `ratio` = events, or `value_field` added up, ÷ events of `denominator_event`; `event_ratio` = events ÷ exposures, whenever they were: it may exceed 1."
);
word!(MetricKind, Self::Conversion);
parameter!(
    CorrectionScope,
    CorrectionScope::All,
    "Which p-values are adjusted together: those of all metrics and variants, those of a `metric`, or those of a `variant`."
);
parameter!(Direction, Direction::Increase, "Which way is better.");
parameter!(
    TestChoice,
    TestChoice::Auto,
    "By which test it is decided: `sequential` holds for as many looks as one likes, `fixed` for one; `auto` is sequential while the newest exposure is less than a day old."
);
parameter!(Correction, Correction::BenjaminiHochberg, "How p-values are adjusted for the number of variants.");
parameter!(
    Handling,
    Handling::Exclude,
    "Units that were exposed to several variants: left out, or counted with the first."
);

/// Events of one name that pass some filters.
#[derive(Debug, Clone, PartialEq)]
pub struct EventOf {
    pub conditions: Vec<Condition>,
}

pub const MOST_FILTERS: usize = 16;

impl EventOf {
    pub fn new(parameter: &'static str, name: String, filters: Vec<Condition>) -> Self {
        let predicate = Predicate {
            field: FieldName::Column("event"),
            kind: Kind::Text,
            operator: Operator::Eq,
            operand: Operand::Texts(vec![name]),
        };
        let mut conditions = vec![Condition { parameter, any_of: vec![predicate] }];
        conditions.extend(filters);
        Self { conditions }
    }
}

fn describe_filters(name: &'static str, of: &str) -> Parameter {
    let fields = GOALS.field_names().join("`, `");
    list(name, &format!("Only {of} that pass: as in `filter`, repeatable. Fields: `{fields}`.")).build()
}

/// Reads a filter of what units do.
pub fn goal_filter(parameter: &'static str, filter: &str) -> Result<Condition, Problem> {
    Grammar { parameter, dataset: &GOALS, only: None }.read(filter)
}

fn take_filters(parameters: &mut Parameters, parameter: &'static str) -> Option<Vec<Condition>> {
    let written = parameters.many(parameter);
    if written.len() > MOST_FILTERS {
        return parameters.refuse(Problem::parameter(parameter, format!("is given more than {MOST_FILTERS} times")));
    }
    let mut read = Vec::new();
    for filter in &written {
        match goal_filter(parameter, filter) {
            Ok(condition) => read.push(condition),
            Err(problem) => {
                parameters.refuse::<()>(problem);
            }
        }
    }
    (read.len() == written.len()).then_some(read)
}

/// One metric of the units.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub kind: MetricKind,
    pub goal: EventOf,
    /// A path into the data of the goal, of which the numbers are added up.
    pub value: Option<FieldName>,
    pub denominator: Option<EventOf>,
    /// Days before a unit's first exposure in which what it did is looked at; 0 = not at all.
    pub cuped_days: u64,
}

/// A metric as it is written, with parameters or in a body; its names are those of parameters.
pub struct WrittenMetric {
    pub kind: MetricKind,
    pub goal: EventOf,
    pub value: Option<FieldName>,
    pub denominator: Option<String>,
    pub denominator_filters: Vec<Condition>,
    pub cuped_days: u64,
}

impl WrittenMetric {
    /// The metric, or what does not go together: names, and what is wrong with them.
    pub fn checked(self) -> Result<Metric, Vec<(&'static str, &'static str)>> {
        let Self { kind, goal, value, denominator, denominator_filters, cuped_days } = self;
        let is_ratio = kind == MetricKind::Ratio;
        let problems = [
            (kind == MetricKind::Mean && value.is_none(), "value_field", "is missing: `mean` adds it up"),
            (
                !matches!(kind, MetricKind::Mean | MetricKind::Ratio) && value.is_some(),
                "value_field",
                "is only used by `mean` and `ratio`: leave it out",
            ),
            (is_ratio && denominator.is_none(), "denominator_event", "is missing: `ratio` divides by it"),
            (!is_ratio && denominator.is_some(), "denominator_event", "is only used by `ratio`: leave it out"),
            (
                denominator.is_none() && !denominator_filters.is_empty(),
                "denominator_filter",
                "has no `denominator_event` to be of",
            ),
            (
                cuped_days > 0 && matches!(kind, MetricKind::Ratio | MetricKind::EventRatio),
                "cuped_days",
                "is not of ratios: leave it out",
            ),
        ];
        let problems: Vec<_> =
            problems.into_iter().filter(|(is_so, ..)| *is_so).map(|(_, name, detail)| (name, detail)).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let denominator = denominator.map(|name| EventOf::new("denominator_event", name, denominator_filters));
        Ok(Metric { kind, goal, value, denominator, cuped_days })
    }
}

pub const MOST_CUPED_DAYS: u64 = 90;

/// An event that units are to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal(pub EventOf);

impl FromParameters for Goal {
    fn describe() -> Vec<Parameter> {
        vec![
            required_text("goal_event", "What units are to do: the name of an event.")
                .example(Some("interaction".into()))
                .build(),
            describe_filters("goal_filter", "events of the goal"),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let event = take_required(parameters, "goal_event");
        let filters = take_filters(parameters, "goal_filter");
        Some(Self(EventOf::new("goal_event", event?, filters?)))
    }
}

impl FromParameters for Metric {
    fn describe() -> Vec<Parameter> {
        let value = "With `mean` and `ratio`, the number of an event of the goal that is added up: `data.<path>`. What is no number counts as none.";
        let own = vec![
            text("value_field", value).example(Some("data.latency_ms".into())).build(),
            text("denominator_event", "With `ratio`, the event whose number is divided by.").build(),
            describe_filters("denominator_filter", "events of the denominator"),
            whole_number(
                "cuped_days",
                "Days before the first exposure of a unit in which the same is counted, to take out of the comparison what was known before (CUPED); 0 = not at all. Not of ratios.",
                (0, MOST_CUPED_DAYS),
                0,
            )
            .build(),
        ];
        [MetricKind::describe(), Goal::describe(), own].concat()
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let kind = MetricKind::take(parameters);
        let goal = Goal::take(parameters);
        let value = take_value(parameters);
        let denominator = parameters.one("denominator_event").filter(|name| !name.is_empty());
        let denominator_filters = take_filters(parameters, "denominator_filter");
        let cuped_days = take_whole_number(parameters, "cuped_days", (0, MOST_CUPED_DAYS), 0);
        let (kind, value, cuped_days) = (kind?, value?, cuped_days?);
        let denominator_filters = denominator_filters?;
        let Goal(goal) = goal?;
        let written = WrittenMetric { kind, goal, value, denominator, denominator_filters, cuped_days };
        let refuse = |(name, detail)| {
            parameters.refuse::<()>(Problem::parameter(name, detail));
        };
        written.checked().map_err(|problems| problems.into_iter().for_each(refuse)).ok()
    }
}

/// The outer `None` when it is refused.
fn take_value(parameters: &mut Parameters) -> Option<Option<FieldName>> {
    let Some(written) = parameters.one("value_field") else { return Some(None) };
    match value_of(&written) {
        Ok(field) => Some(Some(field)),
        Err(detail) => parameters.refuse(Problem::parameter("value_field", detail)),
    }
}

/// The path into the data of an event that is written, or why it is none.
pub fn value_of(written: &str) -> Result<FieldName, String> {
    match GOALS.field(written) {
        Some((field @ FieldName::Path(_), _)) => Ok(field),
        _ => Err(format!("`{}` is no path into the data of an event: write `data.<path>`", shown(written))),
    }
}

/// How long after its first exposure what a unit does counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversionWindow(pub Duration);

impl ConversionWindow {
    const DEFAULT: Duration = Duration::days(14);
    const MOST: Duration = Duration::days(365);
}

impl FromParameters for ConversionWindow {
    fn describe() -> Vec<Parameter> {
        let description = "How long after its first exposure what a unit does counts: minutes, hours or days, as in `30m`, `12h` or `14d`; at most 365 days. Default `14d`.";
        vec![text("conversion_window", description).example(Some("14d".into())).build()]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let length = take_length(parameters, "conversion_window", Self::MOST)?;
        Some(Self(length.unwrap_or(Self::DEFAULT)))
    }
}

/// The variant that the others are compared with, and the planned part of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub baseline: Option<String>,
    pub weights: Option<Vec<(String, f64)>>,
}

impl FromParameters for Plan {
    fn describe() -> Vec<Parameter> {
        vec![
            text("baseline", "The variant that the others are compared with. Default: the one that is called `control`, `baseline` or `A`, in any case; else the first by name.")
                .example(Some("A".into()))
                .build(),
            text("weights", "The planned part of each variant, of whatever they add up to: `A:0.5,B:0.5`. 0 makes a holdout, which is not tested. Default: equal parts.")
                .example(Some("A:0.5,B:0.5".into()))
                .build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let baseline = parameters.one("baseline").filter(|name| !name.is_empty());
        let Some(written) = parameters.one("weights") else { return Some(Self { baseline, weights: None }) };
        let mut weights: Vec<(String, f64)> = Vec::new();
        for part in written.split(',') {
            let read = part.rsplit_once(':').and_then(|(name, weight)| Some((name, weight.parse::<f64>().ok()?)));
            match read.filter(|(name, weight)| !name.is_empty() && weight.is_finite() && weight.abs() <= 1e9) {
                Some((name, weight)) if weights.iter().all(|(known, _)| known != name) => {
                    weights.push((name.to_owned(), weight));
                }
                Some((name, _)) => {
                    return parameters.refuse(Problem::parameter("weights", format!("names `{}` twice", shown(name))));
                }
                None => {
                    return parameters
                        .refuse(Problem::parameter("weights", format!("`{}` is not `variant:weight`", shown(part))));
                }
            }
        }
        Some(Self { baseline, weights: Some(weights) })
    }
}

/// What tests and intervals leave out, and the relative effect from which on a goal matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sureness {
    pub alpha: f64,
    pub minimum_effect: f64,
}

const ALPHAS: [f64; 2] = [0.000_1, 0.5];
const EFFECTS: [f64; 2] = [0.0, 10.0];

impl FromParameters for Sureness {
    fn describe() -> Vec<Parameter> {
        vec![
            number("alpha", "What tests and intervals leave out: 0.05 makes intervals of 95 %.", ALPHAS, 0.05).build(),
            number("minimum_effect", "The relative effect from which on a goal matters.", EFFECTS, 0.01).build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let alpha = take_number(parameters, "alpha", ALPHAS, 0.05);
        let minimum_effect = take_number(parameters, "minimum_effect", EFFECTS, 0.01);
        Some(Self { alpha: alpha?, minimum_effect: minimum_effect? })
    }
}
