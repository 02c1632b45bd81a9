//! What the charts of assistants count, and how they are drawn.

use chrono::Utc;
use minijinja::value::Value as Variable;

use super::super::AssistantsService;
use super::super::notes::{CALLS, COST, ERROR_RATE, FIRST_TOKEN, LATENCY, RUNS};
use super::super::repository::{CoverageRow, LATENCIES, TOTALS};
use super::schemas::{ChartQuestion, QuantilesQuestion, Tokens, TokensQuestion};
use crate::answer::{Chart, Measure, Outline};
use crate::auth::Reader;
use crate::clickhouse::{Sql, Values};
use crate::latencies::Latencies;
use crate::query::{Dimension, Sources};
use crate::service::{AnswerError, ChartOf, Common, Shown, SplitBy, verified};

impl AssistantsService {
    pub async fn runs(&self, reader: &Reader, question: &ChartQuestion) -> Result<Chart, AnswerError> {
        let drawn = Drawn { name: "runs", unit: "runs", measure: Measure::Count, notes: &[RUNS] };
        self.chart(reader, question, drawn, "assistants/counted.sql", &counted("runs", "is_run")).await
    }

    pub async fn error_rate(&self, reader: &Reader, question: &ChartQuestion) -> Result<Chart, AnswerError> {
        let drawn = Drawn { name: "error_rate", unit: "ratio", measure: Measure::Ratio, notes: &[ERROR_RATE, RUNS] };
        self.chart(reader, question, drawn, "assistants/error_rate.sql", &[]).await
    }

    pub async fn tokens(&self, reader: &Reader, question: &TokensQuestion) -> Result<Chart, AnswerError> {
        let (name, metric) = match question.tokens {
            Tokens::All => ("tokens", "input_tokens + output_tokens"),
            Tokens::Input => ("input_tokens", "input_tokens"),
            Tokens::Output => ("output_tokens", "output_tokens"),
            Tokens::CachedInput => ("cached_input_tokens", "cached_input_tokens"),
        };
        let drawn = Drawn { name, unit: "tokens", measure: Measure::Count, notes: &[CALLS] };
        self.chart(reader, &question.chart, drawn, "assistants/counted.sql", &counted(metric, "is_call")).await
    }

    pub async fn cost(&self, reader: &Reader, question: &ChartQuestion) -> Result<Chart, AnswerError> {
        let drawn = Drawn { name: "cost", unit: "usd", measure: Measure::Money, notes: &[CALLS, COST] };
        let chart = self.chart(reader, question, drawn, "assistants/cost.sql", &[]);
        let covered = Common {
            template: "assistants/cost_coverage.sql",
            dataset: &TOTALS,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            fields: &[],
            sources: Sources::Any,
            notes: &[],
        };
        let covered = self.service.compared::<CoverageRow>(reader, covered, Values::default(), Vec::new());
        let (mut chart, covered) = tokio::try_join!(chart, covered)?;
        covered.add_cost(&mut chart.meta);
        let CoverageRow { calls, priced_calls } = covered.rows().first().copied().unwrap_or_default();
        let share = (priced_calls as f64 / calls as f64 * 1e3).floor() / 10.0;
        let told = (calls > 0).then(|| format!("The cost of {priced_calls} of {calls} calls is known, {share} %."));
        chart.meta.notes.extend(told);
        Ok(chart)
    }

    pub async fn latency(&self, reader: &Reader, question: &QuantilesQuestion) -> Result<Chart, AnswerError> {
        self.quantiles(reader, question, "'run'", &[LATENCY, RUNS]).await
    }

    pub async fn time_to_first_token(
        &self,
        reader: &Reader,
        question: &QuantilesQuestion,
    ) -> Result<Chart, AnswerError> {
        self.quantiles(reader, question, "'first_token'", &[FIRST_TOKEN]).await
    }

    /// Answers with quantiles of what is measured, by bucket and group.
    async fn quantiles(
        &self,
        reader: &Reader,
        question: &QuantilesQuestion,
        measured: &'static str,
        notes: &'static [&'static str],
    ) -> Result<Chart, AnswerError> {
        let answer = |sources| self.quantiles_from(sources, reader, question, measured, notes);
        verified(question.chart.verify, answer).await
    }

    async fn quantiles_from(
        &self,
        sources: Sources,
        reader: &Reader,
        question: &QuantilesQuestion,
        measured: &'static str,
        notes: &'static [&'static str],
    ) -> Result<Chart, AnswerError> {
        let chart = &question.chart;
        let latencies = Latencies::of(&chart.date_range.resolve(Utc::now())?, measured, sources);
        let notes = [notes, latencies.notes()].concat();
        let common = Common {
            template: "assistants/latencies.sql",
            dataset: &LATENCIES,
            date_range: &chart.date_range,
            comparison: Some(&chart.comparison),
            conditions: &chart.filters.conditions,
            fields: latencies.fields(),
            sources,
            notes: &notes,
        };
        let chart = ChartOf {
            aggregation: chart.aggregation,
            outline: Outline { measure: Measure::Quantile, unit: "ms" },
            shown: Shown::Quantiles(question.quantile.index()),
            split: split(chart),
            variables: &latencies.variables(),
        };
        self.service.chart(reader, common, chart).await
    }

    /// Answers with sums, or ratios of sums, by bucket and group.
    async fn chart(
        &self,
        reader: &Reader,
        question: &ChartQuestion,
        drawn: Drawn,
        template: &'static str,
        variables: &[(&'static str, Variable)],
    ) -> Result<Chart, AnswerError> {
        let answer = |sources| self.sums_from(sources, reader, question, drawn, template, variables);
        verified(question.verify, answer).await
    }

    async fn sums_from(
        &self,
        sources: Sources,
        reader: &Reader,
        question: &ChartQuestion,
        drawn: Drawn,
        template: &'static str,
        variables: &[(&'static str, Variable)],
    ) -> Result<Chart, AnswerError> {
        let common = Common {
            template,
            dataset: &TOTALS,
            date_range: &question.date_range,
            comparison: Some(&question.comparison),
            conditions: &question.filters.conditions,
            fields: &[],
            sources,
            notes: drawn.notes,
        };
        let chart = ChartOf {
            aggregation: question.aggregation,
            outline: Outline { measure: drawn.measure, unit: drawn.unit },
            shown: Shown::Sums(drawn.name),
            split: split(question),
            variables,
        };
        self.service.chart(reader, common, chart).await
    }
}

/// What a chart of sums shows; the name is that of its one line, when it is not split.
#[derive(Clone, Copy)]
struct Drawn {
    name: &'static str,
    unit: &'static str,
    measure: Measure,
    notes: &'static [&'static str],
}

/// The measure that `assistants/counted.sql` counts, and of which facts.
fn counted(metric: &'static str, population: &'static str) -> [(&'static str, Variable); 2] {
    [("metric", Sql::constant(metric).into()), ("population", Sql::constant(population).into())]
}

fn split(question: &ChartQuestion) -> Option<SplitBy> {
    question.split.by.map(|by| SplitBy { column: by.column(), top: question.split.top })
}
