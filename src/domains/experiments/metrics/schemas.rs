//! Metrics as they are sent, and what does not go together.

use std::collections::BTreeMap;

use super::super::analysis::{Correction, CorrectionScope, Direction, Handling, Role, TestChoice};
use super::super::analyze::schemas::RelativeEffect;
use super::super::schemas::{
    ConversionWindow, EventOf, ExposureFilters, MOST_CUPED_DAYS, MOST_FILTERS, Metric, MetricKind, Plan, Sureness,
    WrittenMetric, goal_filter, value_of,
};
use crate::json::{FromJson, Items, Json, Place, document};
use crate::query::filters::Condition;
use crate::query::{DateRange, Filters, question};

const MOST_METRICS: usize = 20;

question! {
    /// What did an experiment come to, by several metrics?
    pub struct MetricsQuestion {
        date_range: DateRange,
        conversion_window: ConversionWindow,
        plan: Plan,
        multiple_exposures: Handling,
        test: TestChoice,
        correction: Correction,
        correction_scope: CorrectionScope,
        sureness: Sureness,
        filters: Filters<ExposureFilters>,
    }
}

document! {
    /// The metrics by which an experiment is analysed.
    pub struct MetricsBody {
        #[schema(value_type = Vec<MetricOfEvents>, min_items = 1, max_items = 20)]
        metrics: Items<AskedMetric>,
    }
}

document! {
    /// A metric of what units did.
    pub struct MetricOfEvents {
        #[schema(example = "success")]
        id: String,
        /// A goal is to get better, a guardrail is not to get worse.
        #[schema(required = false)]
        role: Role,
        #[schema(required = false)]
        metric_type: MetricKind,
        /// What units do: the name of an event.
        #[schema(example = "interaction")]
        goal_event: String,
        /// Filters of its events, as in `goal_filter`.
        #[schema(value_type = Option<Vec<String>>)]
        goal_filters: Option<Items<String>>,
        /// With `mean` and `ratio`, the number of an event that is added up: `data.<path>`.
        #[schema(example = "data.latency_ms")]
        value_field: Option<String>,
        /// With `ratio`, the event whose number is divided by.
        denominator_event: Option<String>,
        /// Filters of its events.
        #[schema(value_type = Option<Vec<String>>)]
        denominator_filters: Option<Items<String>>,
        /// Days before the first exposure of a unit in which the same is counted; 0 = not at all, 90 at the most.
        cuped_days: Option<u64>,
        /// Which way is better.
        #[schema(required = false)]
        direction: Direction,
        /// The relative effect from which on it matters: of a goal in place of that of the request; of a guardrail, how
        /// much worse it may be at most.
        minimum_effect: Option<RelativeEffect>,
    }
}

/// A metric that can be asked for, and what it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedMetric {
    pub id: String,
    pub role: Role,
    pub direction: Direction,
    pub minimum_effect: Option<f64>,
    pub metric: Metric,
}

/// Metrics that can be asked for, each with a name of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedMetrics(pub Vec<AskedMetric>);

impl FromJson for AskedMetrics {
    fn take(value: Option<&Json<'_>>, place: &mut Place<'_>) -> Option<Self> {
        let metrics = MetricsBody::take(value, place)?.metrics.0;
        place.within("metrics", |place| {
            if metrics.is_empty() || metrics.len() > MOST_METRICS {
                return place.refuse(format!("are {}, not 1 to {MOST_METRICS}", metrics.len()));
            }
            let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
            for (index, metric) in metrics.iter().enumerate() {
                let before = metric.as_ref().and_then(|metric| ids.insert(&metric.id, index));
                if let Some(before) = before {
                    let detail = format!("is that of the metric {before} too");
                    place.within(index.to_string(), |place| place.refuse_field("id", detail));
                }
            }
            Some(())
        })?;
        // What could not be read is noted.
        Some(Self(metrics.into_iter().flatten().collect()))
    }
}

impl FromJson for AskedMetric {
    fn take(value: Option<&Json<'_>>, place: &mut Place<'_>) -> Option<Self> {
        let body = MetricOfEvents::take(value, place)?;
        let goal_filters = filters("goal_filters", body.goal_filters, place);
        let denominator_filters = filters("denominator_filters", body.denominator_filters, place);
        let value = match body.value_field.as_deref().map(value_of).transpose() {
            Ok(value) => Some(value),
            Err(detail) => place.within("value_field", |place| place.refuse(detail)),
        };
        let cuped_days = match body.cuped_days.unwrap_or(0) {
            days if days <= MOST_CUPED_DAYS => Some(days),
            days => place.within("cuped_days", |place| place.refuse(format!("is {days}, not 0 to {MOST_CUPED_DAYS}"))),
        };
        let written = WrittenMetric {
            kind: body.metric_type,
            goal: EventOf::new("goal_event", body.goal_event, goal_filters?),
            value: value?,
            denominator: body.denominator_event,
            denominator_filters: denominator_filters?,
            cuped_days: cuped_days?,
        };
        let refuse = |(name, detail)| {
            let name = if name == "denominator_filter" { "denominator_filters" } else { name };
            place.refuse_field(name, detail);
        };
        let metric = written.checked().map_err(|problems| problems.into_iter().for_each(refuse)).ok()?;
        Some(Self {
            id: body.id,
            role: body.role,
            direction: body.direction,
            minimum_effect: body.minimum_effect.map(|of| of.0),
            metric,
        })
    }
}

fn filters(name: &'static str, written: Option<Items<String>>, place: &mut Place<'_>) -> Option<Vec<Condition>> {
    let Some(Items(written)) = written else { return Some(Vec::new()) };
    place.within(name, |place| {
        if written.len() > MOST_FILTERS {
            return place.refuse(format!("are {}, more than {MOST_FILTERS}", written.len()));
        }
        let read = |(index, filter): (usize, &Option<String>)| match goal_filter(name, filter.as_ref()?) {
            Ok(condition) => Some(condition),
            Err(problem) => place.within(index.to_string(), |place| place.refuse_as(problem)),
        };
        written.iter().enumerate().map(read).collect::<Vec<_>>().into_iter().collect()
    })
}
