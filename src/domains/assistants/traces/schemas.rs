//! Questions for traces, and what they are answered with.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::schemas::SpanFilters;
use crate::answer::{Meta, Money, Shape, csv_of};
use crate::query::{DateRange, Filters, Listed, Problem, parameter, question, shown, vocabulary};

vocabulary! {
    /// Which span of a trace has to meet the filters.
    pub enum FilterOn as "filter_on" {
        AnySpan = "any_span",
        RootSpan = "root_span",
    }
}

parameter!(
    FilterOn,
    FilterOn::AnySpan,
    "Which span of a trace has to meet the filters: any, all of them the same one, or its root."
);

question! {
    /// Which runs were there?
    pub struct TracesQuestion {
        date_range: DateRange,
        filters: Filters<SpanFilters>,
        filter_on: FilterOn,
        listed: Listed<3>,
    }
}

/// The id of a trace: 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceId(String);

impl TraceId {
    pub fn read(written: &str) -> Result<Self, Problem> {
        let is_id = written.len() == 32 && written.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id || written.bytes().all(|byte| byte == b'0') {
            let detail = format!("`{}` is not the id of a trace, which has 32 hexadecimal digits", shown(written));
            return Err(Problem::parameter("trace_id", detail));
        }
        Ok(Self(written.to_ascii_lowercase()))
    }

    pub fn into_text(self) -> String {
        self.0
    }
}

/// A run of an assistant: a root span, with what the spans of its trace add up to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Run {
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    pub trace_id: String,
    /// Of the root span.
    #[schema(example = "00f067aa0ba902b7")]
    pub span_id: String,
    #[schema(example = "invoke_agent triage")]
    pub name: String,
    /// When the run began, in UTC.
    #[schema(example = "2026-02-03T12:15:00.000000Z")]
    pub start_time: String,
    /// Null when the end is not known.
    #[schema(example = 2850.0)]
    pub duration_ms: Option<f64>,
    /// `UNSET`, `OK` or `ERROR`
    #[schema(example = "OK")]
    pub status: String,
    #[schema(example = "timeout")]
    pub error_type: Option<String>,
    #[schema(example = "triage")]
    pub assistant_code: Option<String>,
    #[schema(example = "1.4.0")]
    pub assistant_version: Option<String>,
    #[schema(example = "production")]
    pub environment: Option<String>,
    pub profile_code: Option<String>,
    pub conversation_id: Option<String>,
    pub user_id_hash: Option<String>,
    #[serde(flatten)]
    pub totals: TraceTotals,
}

/// What the spans of a trace add up to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct TraceTotals {
    #[schema(example = 7)]
    pub spans: u64,
    #[schema(example = 0)]
    pub failed_spans: u64,
    /// Calls of models.
    #[schema(example = 3)]
    pub calls: u64,
    /// Calls of tools.
    #[schema(example = 2)]
    pub tool_calls: u64,
    /// The models that were called, at most 20.
    pub models: Vec<String>,
    /// Of calls of models.
    #[schema(example = 3400)]
    pub input_tokens: u64,
    #[schema(example = 520)]
    pub output_tokens: u64,
    /// Of calls of models; null where there were some and none has a cost that is known.
    pub cost_usd: Option<Money>,
}

/// A trace. Its spans come in the order of the tree: each before its children, children by their starts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trace {
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    pub trace_id: String,
    /// When its first span began, in UTC.
    #[schema(example = "2026-02-03T12:15:00.000000Z")]
    pub start_time: String,
    /// From the start of the first span to the end of the last one that has ended.
    #[schema(example = 2850.0)]
    pub duration_ms: f64,
    pub totals: TraceTotals,
    pub spans: Vec<TraceSpan>,
    pub meta: Meta,
}

/// A span of a trace.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TraceSpan {
    #[schema(example = "00f067aa0ba902b7")]
    pub span_id: String,
    /// Null for a root.
    pub parent_id: Option<String>,
    /// How many spans are above it.
    #[schema(example = 1)]
    pub depth: u64,
    /// Whether it names a parent that the trace does not have.
    pub is_orphan: bool,
    #[schema(example = "chat gpt-5")]
    pub name: String,
    #[schema(example = "CLIENT")]
    pub kind: String,
    #[schema(example = "2026-02-03T12:15:00.000000Z")]
    pub start_time: String,
    /// From the start of the trace to that of the span.
    #[schema(example = 120.5)]
    pub offset_ms: f64,
    /// Null when the end is not known.
    #[schema(example = 1900.0)]
    pub duration_ms: Option<f64>,
    /// How long it took without its children.
    #[schema(example = 1650.0)]
    pub self_ms: Option<f64>,
    /// How long the trace waited for this span itself: its part of the critical path. Adds up to the duration of the root.
    #[schema(example = 1650.0)]
    pub critical_ms: f64,
    /// `UNSET`, `OK` or `ERROR`
    #[schema(example = "OK")]
    pub status: String,
    pub status_description: Option<String>,
    pub error_type: Option<String>,
    #[schema(example = "chat")]
    pub operation: Option<String>,
    pub assistant_code: Option<String>,
    pub assistant_version: Option<String>,
    #[schema(example = "openai")]
    pub provider: Option<String>,
    #[schema(example = "gpt-5")]
    pub model: Option<String>,
    pub tool_name: Option<String>,
    pub conversation_id: Option<String>,
    pub user_id_hash: Option<String>,
    #[schema(example = 1200)]
    pub input_tokens: Option<u32>,
    #[schema(example = 180)]
    pub output_tokens: Option<u32>,
    pub cached_input_tokens: Option<u32>,
    pub cost_usd: Option<Money>,
    pub time_to_first_token_ms: Option<f64>,
    /// What went in; only with the scope `traces:read`.
    pub input: Option<String>,
    /// What came out; only with the scope `traces:read`.
    pub output: Option<String>,
    /// All attributes, among which are inputs and outputs: only with the scope `traces:read`.
    #[schema(value_type = Option<HashMap<String, Value>>)]
    pub attributes: Option<Value>,
    /// Where it ran.
    #[schema(value_type = Option<HashMap<String, Value>>)]
    pub resource: Option<Value>,
    /// What happened in it, each with `name` and `time`, and with the scope `traces:read` with `attributes`.
    #[schema(value_type = Vec<HashMap<String, Value>>)]
    pub events: Vec<Value>,
    /// Other spans that it belongs to, each with `trace_id` and `span_id`.
    #[schema(value_type = Vec<HashMap<String, Value>>)]
    pub links: Vec<Value>,
}

impl Shape for Trace {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        csv_of(&self.spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_32_hexadecimal_digits() {
        let read = |written: &str| TraceId::read(written).map(TraceId::into_text).ok();
        assert_eq!(read("4BF92F3577B34DA6A3CE929D0E0E4736").as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for written in ["", "4bf9", "4bf92f3577b34da6a3ce929d0e0e473g", "00000000000000000000000000000000"] {
            assert_eq!(read(written), None, "{written}");
        }
    }
}
