//! What the charts of assistants count, and how they are drawn.

use super::super::AssistantsService;
use super::super::notes::{CALLS, COST, ERROR_RATE, FIRST_TOKEN, LATENCY, RUNS};
use super::super::repository::SPANS;
use super::schemas::{ChartQuestion, QuantilesQuestion, Tokens, TokensQuestion};
use crate::answer::{Chart, Measure, Outline, QUANTILES};
use crate::auth::Reader;
use crate::clickhouse::Sql;
use crate::query::Dimension;
use crate::service::{AnswerError, ChartOf, Common, Shown, SplitBy};

impl AssistantsService {
    pub async fn runs(&self, reader: &Reader, question: &ChartQuestion) -> Result<Chart, AnswerError> {
        let drawn = Drawn { shown: Shown::Sums("runs"), unit: "runs", measure: Measure::Count, notes: &[RUNS] };
        self.chart(reader, question, drawn, "assistants/counted.sql", Reads::Metric("runs")).await
    }

    pub async fn error_rate(&self, reader: &Reader, question: &ChartQuestion) -> Result<Chart, AnswerError> {
        let notes = &[ERROR_RATE, RUNS];
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
        let drawn = Drawn { shown: Shown::Sums(name), unit: "tokens", measure: Measure::Count, notes: &[CALLS] };
        self.chart(reader, &question.chart, drawn, "assistants/counted.sql", Reads::Metric(metric)).await
    }

    pub async fn cost(&self, reader: &Reader, question: &ChartQuestion) -> Result<Chart, AnswerError> {
        let notes = &[CALLS, COST];
        let drawn = Drawn { shown: Shown::Sums("cost"), unit: "usd", measure: Measure::Money, notes };
        self.chart(reader, question, drawn, "assistants/cost.sql", Reads::Facts).await
    }

    pub async fn latency(&self, reader: &Reader, question: &QuantilesQuestion) -> Result<Chart, AnswerError> {
        self.quantiles(reader, question, "assistants/latency.sql", "duration_ms", &[LATENCY, RUNS]).await
    }

    pub async fn time_to_first_token(
        &self,
        reader: &Reader,
        question: &QuantilesQuestion,
    ) -> Result<Chart, AnswerError> {
        let (template, field) = ("assistants/time_to_first_token.sql", "time_to_first_token_ms");
        self.quantiles(reader, question, template, field, &[FIRST_TOKEN]).await
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
