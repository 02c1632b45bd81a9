//! What answers questions about voice agents, and what they count.

use std::sync::Arc;

use chrono::Utc;
use minijinja::value::Value as Variable;

use super::notes;
use super::repository::{CALLS, ConversationsRow, TURNS, TotalsRow, WAITS};
use super::schemas::{
    Call, CallsOverTimeQuestion, DeadAirQuestion, RateQuestion, ResponseLatencyQuestion, ShareOf, Stage, TableQuestion,
    ToldBy, TotalsQuestion, TransferReason,
};
use super::told::Told;
use crate::answer::{Card, Chart, Measure, Outline, QuantileLine, QuantilesRow, Table, TableRow, Total, Totals};
use crate::auth::Reader;
use crate::clickhouse::{Sql, Values};
use crate::latencies::Latencies;
use crate::query::dataset::Dataset;
use crate::query::filters::Condition;
use crate::query::{Aggregation, Compare, Comparison, DateRange, Dimension, Sources, Split, Verify};
use crate::service::{AnswerError, ChartOf, Common, Service, Shown, SplitBy, verified};

/// All that callers wait for.
const STAGES: &str = "'first_audio', 'speech_to_text', 'model', 'text_to_speech'";

/// The lines of the chart of waits that is not split.
const LATENCY_LINES: &[QuantileLine] = &[
    QuantileLine { name: "first_audio_p50", group: "first_audio", quantile: P50 },
    QuantileLine { name: "first_audio_p95", group: "first_audio", quantile: P95 },
    QuantileLine { name: "speech_to_text_p50", group: "speech_to_text", quantile: P50 },
    QuantileLine { name: "speech_to_text_p95", group: "speech_to_text", quantile: P95 },
    QuantileLine { name: "model_p50", group: "model", quantile: P50 },
    QuantileLine { name: "model_p95", group: "model", quantile: P95 },
    QuantileLine { name: "text_to_speech_p50", group: "text_to_speech", quantile: P50 },
    QuantileLine { name: "text_to_speech_p95", group: "text_to_speech", quantile: P95 },
];
/// Their places in [`crate::answer::QUANTILES`].
const P50: usize = 0;
const P95: usize = 3;

/// Answers questions about voice agents.
#[derive(Clone)]
pub struct VoiceAgentsService {
    pub(super) service: Arc<Service>,
    pub(super) always_looks_closely: bool,
}

/// What every chart of voice agents is asked with.
#[derive(Clone, Copy)]
struct Asked<'a> {
    date_range: &'a DateRange,
    aggregation: Aggregation,
    split: Option<SplitBy>,
    told_by: ToldBy,
    conditions: &'a [Condition],
    comparison: &'a Comparison,
    verify: Verify,
}

/// What a chart of sums shows.
#[derive(Clone, Copy)]
struct Drawn<'a> {
    template: &'static str,
    dataset: &'static Dataset,
    fields: &'static [&'static str],
    name: &'static str,
    unit: &'static str,
    measure: Measure,
    notes: &'a [&'static str],
    variables: &'a [(&'static str, Variable)],
    /// Whether it is about calls alone.
    is_of_calls: bool,
}

impl VoiceAgentsService {
    pub fn new(service: Arc<Service>) -> Self {
        Self { service, always_looks_closely: false }
    }

    /// The same, looking at conversations one by one even where nobody tells of them twice.
    pub fn looking_closely(self) -> Self {
        Self { always_looks_closely: true, ..self }
    }

    pub async fn calls_over_time(
        &self,
        reader: &Reader,
        question: &CallsOverTimeQuestion,
    ) -> Result<Chart, AnswerError> {
        let asked = Asked {
            date_range: &question.date_range,
            aggregation: question.aggregation,
            split: split(&question.split),
            told_by: question.told_by,
            conditions: &question.filters.conditions,
            comparison: &question.comparison,
            verify: question.verify,
        };
        let drawn = Drawn {
            template: "voice_agents/calls_over_time.sql",
            dataset: &CALLS,
            fields: &[],
            name: "calls",
            unit: "calls",
            measure: Measure::Count,
            notes: &[notes::CALLS],
            variables: &[],
            is_of_calls: true,
        };
        self.sums(reader, asked, drawn).await
    }

    pub async fn containment_rate(&self, reader: &Reader, question: &RateQuestion) -> Result<Chart, AnswerError> {
        let drawn = Drawn {
            fields: &["outcome"],
            is_of_calls: true,
            ..rate("voice_agents/containment_rate.sql", "containment_rate", &[notes::CONTAINMENT, notes::CALLS])
        };
        self.sums(reader, asked(question), drawn).await
    }

    pub async fn interruption_rate(&self, reader: &Reader, question: &RateQuestion) -> Result<Chart, AnswerError> {
        let notes = &[notes::INTERRUPTIONS, notes::TURNS];
        let drawn = rate("voice_agents/interruption_rate.sql", "interruption_rate", notes);
        self.sums(reader, asked(question), drawn).await
    }

    pub async fn dead_air(&self, reader: &Reader, question: &DeadAirQuestion) -> Result<Chart, AnswerError> {
        let (dead_air, of_what, population) = match question.share_of {
            ShareOf::Turns => ("dead_air_turns", "answered_turns", notes::DEAD_AIR_TURNS),
            ShareOf::Time => ("dead_air_micros", "call_micros", notes::DEAD_AIR_TIME),
        };
        let variables = [("dead_air", Sql::constant(dead_air).into()), ("of_what", Sql::constant(of_what).into())];
        let notes = [population, notes::DEAD_AIR, notes::TURNS];
        let drawn = Drawn { variables: &variables, ..rate("voice_agents/dead_air.sql", "dead_air", &notes) };
        self.sums(reader, asked(&question.rate), drawn).await
    }

    pub async fn response_latency(
        &self,
        reader: &Reader,
        question: &ResponseLatencyQuestion,
    ) -> Result<Chart, AnswerError> {
        verified(question.rate.verify, |sources| self.response_latency_from(sources, reader, question)).await
    }

    async fn response_latency_from(
        &self,
        sources: Sources,
        reader: &Reader,
        question: &ResponseLatencyQuestion,
    ) -> Result<Chart, AnswerError> {
        let asked = asked(&question.rate);
        let told = self.told_of(sources, reader, &asked).await?;
        let (measured, shown, split) = match asked.split {
            Some(split) => (of_stage(question.stage), Shown::Quantiles(question.quantile.index()), split),
            None => (STAGES, Shown::QuantilesOf(LATENCY_LINES), SplitBy { column: "measured", top: 4 }),
        };
        let latencies = self.latencies(sources, asked.date_range, measured, &told)?;
        let notes = told.notes(&[&[notes::LATENCY, notes::TURNS], latencies.notes()].concat());
        let common = Common {
            template: "voice_agents/response_latency.sql",
            dataset: &WAITS,
            date_range: asked.date_range,
            comparison: Some(asked.comparison),
            conditions: &told.conditions,
            fields: &told.fields(latencies.fields()),
            sources,
            notes: &notes,
        };
        let chart = ChartOf {
            aggregation: asked.aggregation,
            outline: Outline { measure: Measure::Quantile, unit: "ms" },
            shown,
            split: Some(split),
            variables: &[latencies.variables(), told.variables()].concat(),
        };
        self.service.chart(reader, common, chart).await
    }

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
        let (date_range, conditions) = (&question.date_range, &question.filters.conditions);
        let told = self.told(sources, reader, question.told_by, conditions, date_range, Some(&comparison)).await?;
        let latencies = self.latencies(sources, date_range, of_stage(Stage::FirstAudio), &told)?;
        let notes = told.notes(&[notes::TOTALS, latencies.notes()].concat());
        let sums = Common {
            template: "voice_agents/totals.sql",
            dataset: &TURNS,
            date_range,
            comparison: Some(&comparison),
            conditions: &told.conditions,
            fields: &told.fields(&["outcome"]),
            sources,
            notes: &notes,
        };
        let waits = Common {
            template: "voice_agents/response_latency.sql",
            dataset: &WAITS,
            fields: &told.fields(latencies.fields()),
            ..sums
        };
        let open =
            Common { template: "voice_agents/calls_without_end.sql", fields: &["measured", "conversation"], ..sums };
        let (sums_of, waits_of, open_of) = tokio::try_join!(
            self.service.compared::<TotalsRow>(reader, sums, Values::default(), told.variables()),
            self.service.compared_quantiles(reader, waits, [latencies.variables(), told.variables()].concat()),
            self.service.compared::<ConversationsRow>(reader, open, Values::default(), told.variables()),
        )?;
        let mut meta = self.service.meta_of(reader, sums, &sums_of).await?;
        waits_of.add_cost(&mut meta);
        open_of.add_cost(&mut meta);
        let (sums, earlier_sums) = sums_of.map(|rows| rows.first().cloned().unwrap_or_default());
        let (waits, earlier_waits) = waits_of.map(|rows| rows.first().cloned());
        let (open, earlier_open) = open_of.map(|rows| rows.first().cloned().unwrap_or_default());
        let earlier =
            earlier_sums.map(|sums| totals(&sums, earlier_waits.flatten().as_ref(), &earlier_open.unwrap_or_default()));
        Ok(Totals { totals: Card::compared(&totals(&sums, waits.as_ref(), &open), earlier.as_deref()), meta })
    }

    pub async fn calls(&self, reader: &Reader, question: &TableQuestion<Call>) -> Result<Table<Call>, AnswerError> {
        let notes = &[notes::CALLS, notes::TURNS_OF_CALLS, notes::DEAD_AIR];
        // Their ids are in raw rows alone.
        self.table(reader, question, "voice_agents/calls.sql", &["conversation_id"], notes).await
    }

    pub async fn transfer_reasons(
        &self,
        reader: &Reader,
        question: &TableQuestion<TransferReason>,
    ) -> Result<Table<TransferReason>, AnswerError> {
        let (fields, notes) = (&["outcome", "transfer_reason"], &[notes::TRANSFERS, notes::CALLS]);
        self.table(reader, question, "voice_agents/transfer_reasons.sql", fields, notes).await
    }

    async fn table<R: TableRow>(
        &self,
        reader: &Reader,
        question: &TableQuestion<R>,
        template: &'static str,
        fields: &[&'static str],
        notes: &[&'static str],
    ) -> Result<Table<R>, AnswerError> {
        let (date_range, conditions) = (&question.date_range, &question.filters.conditions);
        let told = self.told(Sources::Any, reader, question.told_by, conditions, date_range, None).await?.of_calls();
        let common = Common {
            template,
            dataset: &CALLS,
            date_range,
            comparison: None,
            conditions: &told.conditions,
            fields: &told.fields(fields),
            sources: Sources::Any,
            notes: &told.notes(notes),
        };
        self.service.table(reader, common, &question.paging, Values::default(), told.variables()).await
    }

    /// Answers with sums, or ratios of sums, by bucket and group.
    async fn sums(&self, reader: &Reader, asked: Asked<'_>, drawn: Drawn<'_>) -> Result<Chart, AnswerError> {
        verified(asked.verify, |sources| self.sums_from(sources, reader, asked, drawn)).await
    }

    async fn sums_from(
        &self,
        sources: Sources,
        reader: &Reader,
        asked: Asked<'_>,
        drawn: Drawn<'_>,
    ) -> Result<Chart, AnswerError> {
        let told = self.told_of(sources, reader, &asked).await?;
        let told = if drawn.is_of_calls { told.of_calls() } else { told };
        let common = Common {
            template: drawn.template,
            dataset: drawn.dataset,
            date_range: asked.date_range,
            comparison: Some(asked.comparison),
            conditions: &told.conditions,
            fields: &told.fields(drawn.fields),
            sources,
            notes: &told.notes(drawn.notes),
        };
        let chart = ChartOf {
            aggregation: asked.aggregation,
            outline: Outline { measure: drawn.measure, unit: drawn.unit },
            shown: Shown::Sums(drawn.name),
            split: asked.split,
            variables: &[drawn.variables, &told.variables()].concat(),
        };
        self.service.chart(reader, common, chart).await
    }

    async fn told_of(&self, sources: Sources, reader: &Reader, asked: &Asked<'_>) -> Result<Told, AnswerError> {
        self.told(sources, reader, asked.told_by, asked.conditions, asked.date_range, Some(asked.comparison)).await
    }

    /// Bins tell no conversations apart, so quantiles are exact where those are looked at.
    fn latencies(
        &self,
        sources: Sources,
        date_range: &DateRange,
        measured: &'static str,
        told: &Told,
    ) -> Result<Latencies, AnswerError> {
        let latencies = Latencies::of(&date_range.resolve(Utc::now())?, measured, sources);
        Ok(if told.is_told_twice { latencies.exact() } else { latencies })
    }
}

fn totals(sums: &TotalsRow, waits: Option<&QuantilesRow>, open: &ConversationsRow) -> Vec<Total> {
    let quantile =
        |index: usize| waits.and_then(|waits| waits.quantiles.get(index).copied()).filter(|value| value.is_finite());
    let duration = (sums.timed_calls > 0).then(|| sums.call_micros as f64 / sums.timed_calls as f64 / 1e3);
    let outcome = |id, label, calls| Total::ratio(id, label, calls, sums.calls_with_outcome);
    vec![
        Total::count("calls", "Calls", "count", sums.calls),
        outcome("containment_rate", "Containment rate", sums.contained),
        outcome("transfer_rate", "Transfer rate", sums.transferred),
        outcome("abandonment_rate", "Abandonment rate", sums.abandoned),
        Total::real("duration_mean", "Duration of calls, mean", "ms", duration),
        Total::count("turns", "Turns", "count", sums.turns),
        Total::real("first_audio_p50", "Time to first audio, p50", "ms", quantile(P50)),
        Total::real("first_audio_p95", "Time to first audio, p95", "ms", quantile(P95)),
        Total::ratio("interruption_rate", "Interruption rate", sums.interrupted_turns, sums.telling_turns),
        Total::ratio("dead_air_turns", "Turns with dead air", sums.dead_air_turns, sums.answered_turns),
        Total::ratio("dead_air_time", "Dead air in the time of calls", sums.dead_air_micros, sums.call_micros),
        Total::count("calls_without_end", "Calls whose end is not known", "count", open.conversations),
        Total::count(
            "calls_without_outcome",
            "Calls whose outcome is not known",
            "count",
            sums.calls - sums.calls_with_outcome,
        ),
        Total::count(
            "turns_without_latency",
            "Turns whose time to first audio is not known",
            "count",
            sums.turns.saturating_sub(sums.answered_turns),
        ),
    ]
}

/// A chart of a share.
fn rate<'a>(template: &'static str, name: &'static str, notes: &'a [&'static str]) -> Drawn<'a> {
    Drawn {
        template,
        dataset: &TURNS,
        fields: &[],
        name,
        unit: "ratio",
        measure: Measure::Ratio,
        notes,
        variables: &[],
        is_of_calls: false,
    }
}

fn asked(question: &RateQuestion) -> Asked<'_> {
    Asked {
        date_range: &question.date_range,
        aggregation: question.aggregation,
        split: split(&question.split),
        told_by: question.told_by,
        conditions: &question.filters.conditions,
        comparison: &question.comparison,
        verify: question.verify,
    }
}

fn split<D: Dimension>(split: &Split<D>) -> Option<SplitBy> {
    split.by.map(|by| SplitBy { column: by.column(), top: split.top })
}

/// The stage as a statement writes it.
const fn of_stage(stage: Stage) -> &'static str {
    match stage {
        Stage::FirstAudio => "'first_audio'",
        Stage::SpeechToText => "'speech_to_text'",
        Stage::Model => "'model'",
        Stage::TextToSpeech => "'text_to_speech'",
    }
}
