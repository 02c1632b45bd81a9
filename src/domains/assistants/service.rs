//! What the questions about assistants mean, and how their answers are shaped.

use std::sync::Arc;

use super::repository::SPANS;
use super::schemas::{ChartQuestion, Tokens, TokensQuestion};
use crate::answer::{Chart, Measure, Outline};
use crate::auth::Reader;
use crate::clickhouse::Sql;
use crate::query::Dimension;
use crate::service::{AnswerError, ChartOf, Common, Service, SplitBy};

const RUN_NOTE: &str = "A run is a root span; filters and groups are those of the root span.";
const ERROR_NOTE: &str = "Numerator: runs that failed. Denominator: runs. A span failed when its status is an error, or is not set while an error has a type.";
const CALL_NOTE: &str = "Counted in calls of models (`chat`, `generate_content`, `text_completion`, `embeddings`): agents and workflows repeat what their children used.";
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
        let drawn = Drawn { name: "runs", unit: "runs", measure: Measure::Count, notes: &[RUN_NOTE] };
        self.chart(reader, question, drawn, "assistants/counted.sql", Some("runs")).await
    }

    pub async fn error_rate(&self, reader: &Reader, question: &ChartQuestion) -> Result<Chart, AnswerError> {
        let notes = &[ERROR_NOTE, RUN_NOTE];
        let drawn = Drawn { name: "error_rate", unit: "ratio", measure: Measure::Ratio, notes };
        self.chart(reader, question, drawn, "assistants/error_rate.sql", None).await
    }

    pub async fn tokens(&self, reader: &Reader, question: &TokensQuestion) -> Result<Chart, AnswerError> {
        let (name, metric) = match question.tokens {
            Tokens::All => ("tokens", "input_tokens + output_tokens"),
            Tokens::Input => ("input_tokens", "input_tokens"),
            Tokens::Output => ("output_tokens", "output_tokens"),
            Tokens::CachedInput => ("cached_input_tokens", "cached_input_tokens"),
        };
        let drawn = Drawn { name, unit: "tokens", measure: Measure::Count, notes: &[CALL_NOTE] };
        self.chart(reader, &question.chart, drawn, "assistants/counted.sql", Some(metric)).await
    }

    pub async fn cost(&self, reader: &Reader, question: &ChartQuestion) -> Result<Chart, AnswerError> {
        let notes = &[CALL_NOTE, COST_NOTE];
        let drawn = Drawn { name: "cost", unit: "usd", measure: Measure::Money, notes };
        self.chart(reader, question, drawn, "assistants/cost.sql", None).await
    }

    /// Answers with values by bucket and group; `metric` is what `counted.sql` counts.
    async fn chart(
        &self,
        reader: &Reader,
        question: &ChartQuestion,
        drawn: Drawn,
        template: &'static str,
        metric: Option<&'static str>,
    ) -> Result<Chart, AnswerError> {
        let common = Common {
            template,
            dataset: &SPANS,
            date_range: &question.date_range,
            comparison: Some(&question.comparison),
            conditions: &question.filters.conditions,
            fields: &[],
            notes: drawn.notes,
        };
        let only_series = question.split.by.is_none().then_some(drawn.name);
        let variables: Vec<_> = metric.map(|metric| ("metric", Sql::constant(metric).into())).into_iter().collect();
        let chart = ChartOf {
            aggregation: question.aggregation,
            outline: Outline { measure: drawn.measure, unit: drawn.unit, only_series },
            split: question.split.by.map(|by| SplitBy { column: by.column(), top: question.split.top }),
            variables: &variables,
        };
        self.service.chart(reader, common, chart).await
    }
}

/// What a chart shows.
struct Drawn {
    /// Of the one series of a chart that is not split.
    name: &'static str,
    unit: &'static str,
    measure: Measure,
    notes: &'static [&'static str],
}
