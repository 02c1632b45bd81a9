//! What traces are made of.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::Value;

use super::super::AssistantsService;
use super::super::notes::{CALLS, COST};
use super::super::repository::{RunRow, RunTotalsRow, SPANS, SpanRow};
use super::schemas::{FilterOn, Run, Trace, TraceId, TraceSpan, TraceTotals, TracesQuestion};
use super::tree::{Node, Place, tree};
use crate::answer::{Listing, ListingPage, Money, RangeMeta};
use crate::auth::{Reader, Scope};
use crate::clickhouse::{Value as Parameter, Values};
use crate::query::{Cursor, DateRange, Range, Sources};
use crate::repository::Answered;
use crate::service::{AnswerError, Common, add_cost};

/// Spans of a trace that are shown.
const MOST_SPANS: u64 = 2_000;
/// Bytes of what the spans of a trace say: inputs, outputs, attributes, events.
const MOST_BYTES: u64 = 16 << 20;
/// Models of a trace that are named, as in `run_totals.sql`.
const MOST_MODELS: usize = 20;
/// How much before the start of a run, by a clock that is behind, spans of its trace are looked for.
const CLOCKS_APART: Duration = Duration::hours(1);
/// How long after its start spans of a run whose end is not known are looked for.
const LONGEST_RUN: Duration = Duration::hours(24);

const LISTED: &str = "A run is a root span; a trace without one in the range is not listed.";
const CONTENT_NOTE: &str = "Inputs, outputs and attributes are shown to readers with the scope `traces:read`.";
const SHORTENED_NOTE: &str =
    "The trace says more than 16 MiB: of the later spans, inputs, outputs, attributes, events and links are left out.";
const CUT_NOTE: &str = "The trace has more than 2,000 spans: the first of them are shown.";
const ORPHANS_NOTE: &str =
    "Some spans name a parent that is not here: it was not sent, or is not yet, or may not be seen.";

impl AssistantsService {
    pub async fn traces(&self, reader: &Reader, question: &TracesQuestion) -> Result<Listing<Run>, AnswerError> {
        let runs = Common {
            template: "assistants/runs.sql",
            dataset: &SPANS,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            fields: &["span_id"],
            sources: Sources::Any,
            notes: &[LISTED, CALLS, COST],
        };
        let limit = question.listed.limit;
        let mut values = Values::default();
        // One more tells whether there is more.
        values.set("limit", Parameter::Whole(limit + 1));
        let behind = question.listed.behind.as_ref();
        if let Some(Cursor { time, key: [event_type, trace_id, span_id] }) = behind {
            values.set("time", Parameter::Time(*time));
            values.set("event_type", Parameter::Text(event_type.clone()));
            values.set("trace_id", Parameter::Text(trace_id.clone()));
            values.set("span_id", Parameter::Text(span_id.clone()));
        }
        let is_of_any_span = question.filter_on == FilterOn::AnySpan && !question.filters.conditions.is_empty();
        let variables = vec![("is_continued", behind.is_some().into()), ("is_of_any_span", is_of_any_span.into())];
        let compared = self.service.compared::<RunRow>(reader, runs, values, variables).await?;
        let mut meta = self.service.meta_of(reader, runs, &compared).await?;
        let rows = &compared.rows()[..compared.rows().len().min(limit as usize)];
        let mut totals = HashMap::new();
        if let Some(range) = range_of(rows) {
            let ids: BTreeSet<String> = rows.iter().map(|row| row.trace_id.clone()).collect();
            let answered = self.run_totals(reader, &range, ids.into_iter().collect()).await?;
            add_cost(&answered, &mut meta);
            totals.extend(answered.rows.rows.iter().map(|row| (row.trace_id.clone(), row.clone())));
        }
        let has_more = compared.rows().len() as u64 > limit;
        let last = rows.last().filter(|_| has_more);
        let next_cursor = last.map(|row| {
            let key = [row.event_type.clone(), row.trace_id.clone(), row.span_id.clone()];
            Cursor { time: moment(row.start), key }.to_string()
        });
        let items = rows.iter().map(|row| run(row, totals.get(&row.trace_id))).collect();
        Ok(Listing { items, page: ListingPage { limit, next_cursor }, meta })
    }

    /// What the spans of these traces, which lie within the range, add up to.
    pub async fn run_totals(
        &self,
        reader: &Reader,
        range: &Range,
        trace_ids: Vec<String>,
    ) -> Result<Answered<RunTotalsRow>, AnswerError> {
        let all_time = DateRange::all_time();
        let common = Common {
            template: "assistants/run_totals.sql",
            dataset: &SPANS,
            date_range: &all_time,
            comparison: None,
            conditions: &[],
            fields: &["trace_id"],
            sources: Sources::Any,
            notes: &[],
        };
        let mut values = Values::default();
        values.set("trace_ids", Parameter::Texts(trace_ids));
        self.service.within(reader, common, range, values, Vec::new()).await
    }

    pub async fn trace(&self, reader: &Reader, trace_id: &str) -> Result<Trace, AnswerError> {
        let trace_id = TraceId::read(trace_id)?.into_text();
        let has_content = reader.principal.scopes.contains(&Scope::TracesRead);
        let all_time = DateRange::all_time();
        let common = Common {
            template: "assistants/trace.sql",
            dataset: &SPANS,
            date_range: &all_time,
            comparison: None,
            conditions: &[],
            fields: &["span_id"],
            sources: Sources::Any,
            notes: &[CALLS, COST],
        };
        let mut values = Values::default();
        values.set("trace_id", Parameter::Text(trace_id.clone()));
        values.set("most_spans", Parameter::Whole(MOST_SPANS + 1));
        values.set("most_bytes", Parameter::Whole(MOST_BYTES));
        let read = |is_bounded: bool| {
            let variables = vec![("has_content", has_content.into()), ("is_bounded", is_bounded.into())];
            self.service.compared::<SpanRow>(reader, common, values.clone(), variables)
        };
        // To add up what spans say takes the engine longer than to read them: only who says too much is asked again.
        let compared = match read(false).await {
            Err(error) if error.is_too_large() => read(true).await?,
            answered => answered?,
        };
        let is_cut = compared.rows().len() as u64 > MOST_SPANS;
        let rows = &compared.rows()[..compared.rows().len().min(MOST_SPANS as usize)];
        let Some(start) = rows.iter().map(|row| row.start).min() else {
            return Err(AnswerError::NotFound("There is no such trace, or it is older than rows are kept."));
        };
        let end = rows.iter().map(|row| row.end.unwrap_or(row.start)).max().unwrap_or(start);
        let places: Vec<Place<'_>> = rows.iter().map(place).collect();
        let nodes = tree(&places);

        let mut meta = self.service.meta_of(reader, common, &compared).await?;
        meta.range = RangeMeta::new(&Range { zone: chrono_tz::Tz::UTC, from: moment(start), to: moment(end) });
        let noted = [
            (!has_content, CONTENT_NOTE),
            (rows.iter().any(|row| row.is_shortened), SHORTENED_NOTE),
            (is_cut, CUT_NOTE),
            (nodes.iter().any(|node| node.is_orphan), ORPHANS_NOTE),
        ];
        meta.notes.extend(noted.into_iter().filter(|(is_so, _)| *is_so).map(|(_, note)| note.to_owned()));
        Ok(Trace {
            trace_id,
            start_time: shown(start),
            duration_ms: millis(end - start),
            totals: totals_of(rows),
            spans: nodes.iter().map(|node| span(node, &rows[node.index], start, has_content)).collect(),
            meta,
        })
    }
}

/// The time in which the spans of these runs lie.
fn range_of(runs: &[RunRow]) -> Option<Range> {
    let last = |run: &RunRow| match run.duration_ms {
        Some(millis) => moment(run.start) + Duration::microseconds((millis * 1e3) as i64) + CLOCKS_APART,
        None => moment(run.start) + LONGEST_RUN,
    };
    let from = runs.iter().map(|run| moment(run.start) - CLOCKS_APART).min()?;
    Some(Range { zone: chrono_tz::Tz::UTC, from, to: runs.iter().map(last).max()? })
}

fn run(row: &RunRow, totals: Option<&RunTotalsRow>) -> Run {
    let totals = totals.cloned().unwrap_or_default();
    Run {
        trace_id: row.trace_id.clone(),
        span_id: row.span_id.clone(),
        name: row.name.clone(),
        start_time: shown(row.start),
        duration_ms: row.duration_ms,
        status: row.status.clone(),
        error_type: told(&row.error_type),
        assistant_code: told(&row.assistant_code),
        assistant_version: told(&row.assistant_version),
        environment: told(&row.environment),
        profile_code: row.profile_code.clone(),
        conversation_id: told(&row.conversation_id),
        user_id_hash: told(&row.user_id_hash),
        totals: TraceTotals {
            spans: totals.spans,
            failed_spans: totals.failed_spans,
            calls: totals.calls,
            tool_calls: totals.tool_calls,
            models: totals.models,
            input_tokens: totals.input_tokens,
            output_tokens: totals.output_tokens,
            cost_usd: totals.cost_usd,
        },
    }
}

fn place(row: &SpanRow) -> Place<'_> {
    Place { id: &row.span_id, parent: &row.parent_id, start: row.start, end: row.end }
}

/// What the spans of a trace add up to; tokens and cost are those of calls of models.
fn totals_of(rows: &[SpanRow]) -> TraceTotals {
    let count = |is_counted: fn(&SpanRow) -> bool| rows.iter().filter(|row| is_counted(row)).count() as u64;
    let calls = || rows.iter().filter(|row| row.is_call);
    let tokens = |of: fn(&SpanRow) -> Option<u32>| calls().filter_map(of).map(u64::from).sum();
    let costs: Vec<Money> = calls().filter_map(|row| row.cost_usd).collect();
    let is_cost_known = !costs.is_empty() || calls().next().is_none();
    let models: BTreeSet<&String> = calls().map(|row| &row.model).filter(|model| !model.is_empty()).collect();
    TraceTotals {
        spans: rows.len() as u64,
        failed_spans: count(|row| row.is_failed),
        calls: count(|row| row.is_call),
        tool_calls: count(|row| row.is_tool_call),
        models: models.into_iter().take(MOST_MODELS).cloned().collect(),
        input_tokens: tokens(|row| row.input_tokens),
        output_tokens: tokens(|row| row.output_tokens),
        cost_usd: is_cost_known.then(|| Money(costs.iter().map(|cost| cost.0).fold(0, i128::saturating_add))),
    }
}

fn span(node: &Node, row: &SpanRow, trace_start: i64, has_content: bool) -> TraceSpan {
    let mut details: Value = serde_json::from_str(&row.details).unwrap_or_default();
    let mut take = |name: &str| details.get_mut(name).map(Value::take);
    let list = |value: Option<Value>| if let Some(Value::Array(items)) = value { items } else { Vec::new() };
    let (mut events, links, resource) = (list(take("events")), list(take("links")), take("resource"));
    if !has_content {
        events.iter_mut().filter_map(Value::as_object_mut).for_each(|event| drop(event.remove("attributes")));
    }
    TraceSpan {
        span_id: row.span_id.clone(),
        parent_id: told(&row.parent_id),
        depth: node.depth as u64,
        is_orphan: node.is_orphan,
        name: row.name.clone(),
        kind: row.kind.clone(),
        start_time: shown(row.start),
        offset_ms: millis(row.start - trace_start),
        duration_ms: row.end.map(|end| millis(end - row.start)),
        self_ms: node.self_time.map(millis),
        critical_ms: millis(node.critical_time),
        status: row.status.clone(),
        status_description: told(&row.status_description),
        error_type: told(&row.error_type),
        operation: told(&row.operation),
        assistant_code: told(&row.assistant_code),
        assistant_version: told(&row.assistant_version),
        provider: told(&row.provider),
        model: told(&row.model),
        tool_name: told(&row.tool_name),
        conversation_id: told(&row.conversation_id),
        user_id_hash: told(&row.user_id_hash),
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        cached_input_tokens: row.cached_input_tokens,
        cost_usd: row.cost_usd,
        time_to_first_token_ms: row.time_to_first_token_ms,
        input: told(&row.input),
        output: told(&row.output),
        attributes: take("attributes").filter(|_| has_content),
        resource,
        events,
        links,
    }
}

/// An empty text of a span is none.
fn told(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn moment(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

fn shown(micros: i64) -> String {
    moment(micros).to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn millis(micros: i64) -> f64 {
    micros as f64 / 1e3
}
