//! The question for results, and its answer.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::analysis::{Analysis, Correction, Direction, Handling, MetricAnalysis, TestChoice};
use super::super::schemas::{ConversionWindow, ExposureFilters, Metric, Plan, Sureness};
use crate::answer::{Meta, Number, Shape, csv_of};
use crate::query::{DateRange, Filters, question};

question! {
    /// What did an experiment come to?
    pub struct ResultsQuestion {
        date_range: DateRange,
        metric: Metric,
        conversion_window: ConversionWindow,
        direction: Direction,
        plan: Plan,
        multiple_exposures: Handling,
        test: TestChoice,
        correction: Correction,
        sureness: Sureness,
        filters: Filters<ExposureFilters>,
    }
}

/// What an experiment came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExperimentResults {
    #[serde(flatten)]
    pub analysis: Analysis,
    pub meta: Meta,
}

impl Shape for ExperimentResults {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        csv_of(&self.analysis.metrics.iter().flat_map(rows).collect::<Vec<_>>())
    }
}

/// A variant of a metric, as a line of CSV.
#[derive(Serialize)]
pub struct ResultRow<'a> {
    metric: &'a str,
    variant: &'a str,
    units: u64,
    numerator: Number,
    denominator: Number,
    value: Option<f64>,
    p_value: Option<f64>,
    p_value_adjusted: Option<f64>,
    absolute: Option<f64>,
    absolute_interval: Option<[f64; 2]>,
    relative: Option<f64>,
    relative_interval: Option<[f64; 2]>,
}

/// The variants of a metric, as lines of CSV.
pub fn rows(metric: &MetricAnalysis) -> impl Iterator<Item = ResultRow<'_>> {
    metric.variants.iter().map(|variant| {
        let (measured, compared) = (variant.measured(), variant.compared());
        let absolute = compared.and_then(|compared| compared.absolute);
        let relative = compared.and_then(|compared| compared.relative);
        ResultRow {
            metric: &metric.id,
            variant: &measured.variant,
            units: measured.units,
            numerator: measured.numerator,
            denominator: measured.denominator,
            value: measured.value,
            p_value: compared.and_then(|compared| compared.p_value),
            p_value_adjusted: compared.and_then(|compared| compared.p_value_adjusted),
            absolute: absolute.map(|effect| effect.value),
            absolute_interval: absolute.map(|effect| effect.interval),
            relative: relative.map(|effect| effect.value),
            relative_interval: relative.map(|effect| effect.interval),
        }
    })
}
