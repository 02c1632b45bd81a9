//! The question for results, and its answer.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::analysis::{
    Analysis, Correction, DecisionCode, Direction, Handling, MetricAnalysis, Note, Reason, TestChoice, TestName,
    Variant,
};
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
        csv_of(&rows(&self.analysis))
    }
}

/// A variant of a metric, as a line of CSV, with what was decided of the variant.
#[derive(Serialize)]
pub struct ResultRow<'a> {
    metric: &'a str,
    variant: &'a str,
    units: u64,
    numerator: Number,
    denominator: Number,
    value: Option<f64>,
    interval: Option<[f64; 2]>,
    test: Option<TestName>,
    p_value: Option<f64>,
    p_log10: Option<f64>,
    p_value_adjusted: Option<f64>,
    absolute: Option<f64>,
    absolute_interval: Option<[f64; 2]>,
    relative: Option<f64>,
    relative_interval: Option<[f64; 2]>,
    sequential_p_value: Option<f64>,
    sequential_p_value_adjusted: Option<f64>,
    sequential_absolute_interval: Option<[f64; 2]>,
    sequential_relative_interval: Option<[f64; 2]>,
    notes: &'a [Note],
    srm_p_value: Option<f64>,
    decision: Option<DecisionCode>,
    reasons: &'a [Reason],
}

/// The variants of all metrics, as lines of CSV.
pub fn rows(analysis: &Analysis) -> Vec<ResultRow<'_>> {
    let metrics = analysis.metrics.iter();
    let variants = metrics.flat_map(|MetricAnalysis { id, variants, .. }| variants.iter().map(move |of| (id, of)));
    variants.map(|(id, variant)| row(analysis, id, variant)).collect()
}

fn row<'a>(analysis: &'a Analysis, metric: &'a str, variant: &'a Variant) -> ResultRow<'a> {
    let (measured, compared) = (variant.measured(), variant.compared());
    let absolute = compared.and_then(|compared| compared.absolute);
    let relative = compared.and_then(|compared| compared.relative);
    let sequential = compared.and_then(|compared| compared.sequential.as_ref());
    let decided = analysis.decision.variants.iter().find(|decided| decided.variant == measured.variant);
    ResultRow {
        metric,
        variant: &measured.variant,
        units: measured.units,
        numerator: measured.numerator,
        denominator: measured.denominator,
        value: measured.value,
        interval: measured.interval,
        test: compared.map(|compared| compared.test),
        p_value: compared.and_then(|compared| compared.p_value),
        p_log10: compared.and_then(|compared| compared.p_log10),
        p_value_adjusted: compared.and_then(|compared| compared.p_value_adjusted),
        absolute: absolute.map(|effect| effect.value),
        absolute_interval: absolute.and_then(|effect| effect.interval),
        relative: relative.map(|effect| effect.value),
        relative_interval: relative.and_then(|effect| effect.interval),
        sequential_p_value: sequential.map(|sequential| sequential.p_value),
        sequential_p_value_adjusted: sequential.map(|sequential| sequential.p_value_adjusted),
        sequential_absolute_interval: sequential.map(|sequential| sequential.absolute_interval),
        sequential_relative_interval: sequential.and_then(|sequential| sequential.relative_interval),
        notes: variant.notes(),
        srm_p_value: analysis.health.srm.map(|srm| srm.p_value),
        decision: decided.map(|decided| decided.code),
        reasons: decided.map_or(&[], |decided| &decided.reasons),
    }
}
