//! What the totals of assistants are made of.

use chrono::Utc;

use super::super::AssistantsService;
use super::super::notes::{CALLS, COST, ERROR_RATE, LATENCY, RUNS};
use super::super::repository::{LATENCIES, SPANS, TotalsRow};
use super::schemas::TotalsQuestion;
use crate::answer::{Card, QUANTILES, QuantilesRow, Total, Totals};
use crate::auth::Reader;
use crate::clickhouse::Values;
use crate::latencies::Latencies;
use crate::query::{Compare, Sources};
use crate::service::{AnswerError, Common, verified};

impl AssistantsService {
    pub async fn totals(&self, reader: &Reader, question: &TotalsQuestion) -> Result<Totals, AnswerError> {
        verified(question.verify, |sources| self.totals_from(sources, reader, question)).await
    }

    async fn totals_from(
        &self,
        sources: Sources,
        reader: &Reader,
        question: &TotalsQuestion,
    ) -> Result<Totals, AnswerError> {
        let comparison = question.comparison.or(Compare::PreviousPeriod);
        let latencies = Latencies::of(&question.date_range.resolve(Utc::now())?, "'run'", sources);
        let notes = [&[RUNS, ERROR_RATE, LATENCY, CALLS, COST], latencies.notes()].concat();
        let sums = Common {
            template: "assistants/totals.sql",
            dataset: &SPANS,
            date_range: &question.date_range,
            comparison: Some(&comparison),
            conditions: &question.filters.conditions,
            fields: &["model"],
            sources,
            notes: &notes,
        };
        let (runs, variables) =
            (Common { dataset: &LATENCIES, fields: latencies.fields(), ..sums }, latencies.variables());
        let (sums_of, runs_of) = tokio::try_join!(
            self.service.compared::<TotalsRow>(reader, sums, Values::default(), Vec::new()),
            self.service.compared_quantiles(reader, Common { template: "assistants/latencies.sql", ..runs }, variables),
        )?;
        let mut meta = self.service.meta_of(reader, sums, &sums_of).await?;
        runs_of.add_cost(&mut meta);
        let (sums, earlier_sums) = sums_of.map(|rows| rows.first().cloned().unwrap_or_default());
        let (runs, earlier_runs) = runs_of.map(|rows| rows.first().cloned());
        let earlier = earlier_sums.map(|sums| totals(&sums, earlier_runs.flatten().as_ref()));
        Ok(Totals { totals: Card::compared(&totals(&sums, runs.as_ref()), earlier.as_deref()), meta })
    }
}

fn totals(sums: &TotalsRow, runs: Option<&QuantilesRow>) -> Vec<Total> {
    let quantile = |name: &str| {
        let index = QUANTILES.iter().position(|known| *known == name)?;
        runs.and_then(|runs| runs.quantiles.get(index).copied()).filter(|value| value.is_finite())
    };
    // What is not known is not nothing.
    let cost = (sums.calls == 0 || sums.priced_calls > 0).then_some(sums.cost_usd);
    let cost_per_run = cost.filter(|_| sums.runs > 0).map(|cost| cost.divided_by(sums.runs));
    vec![
        Total::count("runs", "Runs", "count", sums.runs),
        Total::ratio("error_rate", "Error rate", sums.failed_runs, sums.runs),
        Total::real("latency_p50", "Latency, p50", "ms", quantile("p50")),
        Total::real("latency_p95", "Latency, p95", "ms", quantile("p95")),
        Total::count("conversations", "Conversations", "count", sums.conversations),
        Total::count("calls", "Calls of models", "count", sums.calls),
        Total::count("tool_calls", "Calls of tools", "count", sums.tool_calls),
        Total::ratio(
            "tool_success_rate",
            "Success rate of tools",
            sums.tool_calls - sums.failed_tool_calls,
            sums.tool_calls,
        ),
        Total::count("input_tokens", "Input tokens", "tokens", sums.input_tokens),
        Total::count("output_tokens", "Output tokens", "tokens", sums.output_tokens),
        Total::money("cost", "Cost", cost),
        Total::money("cost_per_run", "Cost per run", cost_per_run),
        Total::count("runs_without_end", "Runs whose end is not known", "count", sums.endless_runs),
        Total::count("calls_without_model", "Calls whose model is not known", "count", sums.calls_without_model),
        Total::count("calls_without_cost", "Calls whose cost is not known", "count", sums.calls - sums.priced_calls),
    ]
}
