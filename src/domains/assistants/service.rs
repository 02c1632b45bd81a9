//! What the questions about assistants mean, and how their answers are shaped.

use std::sync::Arc;

use super::repository::SPANS;
use super::schemas::{ChartQuestion, QuantilesQuestion, Tokens, TokensQuestion};
use crate::answer::{Chart, Measure, Outline, QUANTILES};
use crate::auth::Reader;
use crate::clickhouse::Sql;
use crate::query::Dimension;
use crate::service::{AnswerError, ChartOf, Common, Service, Shown, SplitBy};

const RUN_NOTE: &str = "A run is a root span; filters and groups are those of the root span.";
const ERROR_NOTE: &str = "Numerator: runs that failed. Denominator: runs. A span failed when its status is an error, or is not set while an error has a type.";
const CALL_NOTE: &str = "Counted in calls of models (`chat`, `generate_content`, `text_completion`, `embeddings`): agents and workflows repeat what their children used.";
const LATENCY_NOTE: &str = "From the start to the end of each run that has ended; interpolated between values.";
const FIRST_TOKEN_NOTE: &str =
    "Of calls of models that were streamed, as their spans tell; interpolated between values.";
const COST_NOTE: &str = "Calls without a cost of their own and without a price count as nothing.";

/// Answers questions about assistants.
#[derive(Clone)]
pub struct AssistantsService {
    service: Arc<Service>,
}

impl AssistantsService {
    pub fn new(service: Arc<Service>) -> Self {
        Self { service }
    }

    pub async fn runs(&self, reader: &Reader, question: &ChartQuestion) -> Result<Chart, AnswerError> {
        let drawn = Drawn { shown: Shown::Sums("runs"), unit: "runs", measure: Measure::Count, notes: &[RUN_NOTE] };
        self.chart(reader, question, drawn, "assistants/counted.sql", Reads::Metric("runs")).await
    }

    pub async fn error_rate(&self, reader: &Reader, question: &ChartQuestion) -> Result<Chart, AnswerError> {
        let notes = &[ERROR_NOTE, RUN_NOTE];
        let drawn = Drawn { shown: Shown::Sums("error_rate"), unit: "ratio", measure: Measure::Ratio, notes };
        self.chart(reader, question, drawn, "assistants/error_rate.sql", Reads::Facts).await
    }

    pub async fn tokens(&self, reader: &Reader, question: &TokensQuestion) -> Result<Chart, AnswerError> {
        let (name, metric) = match question.tokens {
            Tokens::All => ("tokens", "input_tokens + output_tokens"),
            Tokens::Input => ("input_tokens", "input_tokens"),
            Tokens::Output => ("output_tokens", "output_tokens"),
            Tokens::CachedInput => ("cached_input_tokens", "cached_input_tokens"),
        };
        let drawn = Drawn { shown: Shown::Sums(name), unit: "tokens", measure: Measure::Count, notes: &[CALL_NOTE] };
        self.chart(reader, &question.chart, drawn, "assistants/counted.sql", Reads::Metric(metric)).await
    }

    pub async fn cost(&self, reader: &Reader, question: &ChartQuestion) -> Result<Chart, AnswerError> {
        let notes = &[CALL_NOTE, COST_NOTE];
        let drawn = Drawn { shown: Shown::Sums("cost"), unit: "usd", measure: Measure::Money, notes };
        self.chart(reader, question, drawn, "assistants/cost.sql", Reads::Facts).await
    }

    pub async fn latency(&self, reader: &Reader, question: &QuantilesQuestion) -> Result<Chart, AnswerError> {
        self.quantiles(reader, question, "assistants/latency.sql", "duration_ms", &[LATENCY_NOTE, RUN_NOTE]).await
    }

    pub async fn time_to_first_token(
        &self,
        reader: &Reader,
        question: &QuantilesQuestion,
    ) -> Result<Chart, AnswerError> {
        let (template, field) = ("assistants/time_to_first_token.sql", "time_to_first_token_ms");
        self.quantiles(reader, question, template, field, &[FIRST_TOKEN_NOTE]).await
    }

    /// Answers with quantiles of a field, exact, by bucket and group.
    async fn quantiles(
        &self,
        reader: &Reader,
        question: &QuantilesQuestion,
        template: &'static str,
        field: &'static str,
        notes: &'static [&'static str],
    ) -> Result<Chart, AnswerError> {
        let index = QUANTILES.iter().position(|name| *name == question.quantile.name()).unwrap_or_default();
        let drawn = Drawn { shown: Shown::Quantiles(index), unit: "ms", measure: Measure::Quantile, notes };
        self.chart(reader, &question.chart, drawn, template, Reads::Field(field)).await
    }

    /// Answers with values by bucket and group.
    async fn chart(
        &self,
        reader: &Reader,
        question: &ChartQuestion,
        drawn: Drawn,
        template: &'static str,
        reads: Reads,
    ) -> Result<Chart, AnswerError> {
        let (fields, metric) = match &reads {
            Reads::Facts => (Default::default(), None),
            Reads::Metric(metric) => (Default::default(), Some(*metric)),
            Reads::Field(field) => (std::slice::from_ref(field), None),
        };
        let common = Common {
            template,
            dataset: &SPANS,
            date_range: &question.date_range,
            comparison: Some(&question.comparison),
            conditions: &question.filters.conditions,
            fields,
            notes: drawn.notes,
        };
        let variables: Vec<_> = metric.map(|metric| ("metric", Sql::constant(metric).into())).into_iter().collect();
        let chart = ChartOf {
            aggregation: question.aggregation,
            outline: Outline { measure: drawn.measure, unit: drawn.unit },
            shown: drawn.shown,
            split: question.split.by.map(|by| SplitBy { column: by.column(), top: question.split.top }),
            variables: &variables,
        };
        self.service.chart(reader, common, chart).await
    }
}

/// What a template reads.
enum Reads {
    /// What it names itself.
    Facts,
    /// A measure that is counted.
    Metric(&'static str),
    /// A field that only raw rows have.
    Field(&'static str),
}

/// What a chart shows.
struct Drawn {
    shown: Shown,
    unit: &'static str,
    measure: Measure,
    notes: &'static [&'static str],
}
