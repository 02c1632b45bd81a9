//! Questions for tables about assistants, and their rows.

use super::super::schemas::SpanFilters;
use crate::answer::{Money, table_row};
use crate::query::{DateRange, Filters, Paging, Sortable, question};

question! {
    /// A table made of spans; each kind has rows of its own.
    pub struct TableQuestion<R: Sortable> {
        date_range: DateRange,
        filters: Filters<SpanFilters>,
        paging: Paging<R>,
    }
}

table_row! {
    /// What one assistant did.
    pub struct Assistant {
        /// Null for spans that name no assistant.
        #[schema(example = "support")]
        assistant_code: Option<String>,
        /// The present name, from the operational database.
        #[schema(example = "Support assistant")]
        assistant_name: Option<String>,
        /// Root spans.
        #[schema(example = 1840)]
        runs: u64,
        /// Failed runs ÷ runs.
        #[schema(example = 0.0125)]
        error_rate: Option<f64>,
        /// Failed runs.
        #[schema(example = 23)]
        error_rate_numerator: u64,
        /// Runs.
        #[schema(example = 1840)]
        error_rate_denominator: u64,
        /// How long half of the runs took at the most, in milliseconds, of those that have ended.
        #[schema(example = 1210.5)]
        p50_ms: Option<f64>,
        #[schema(example = 4830.0)]
        p95_ms: Option<f64>,
        /// Different conversations.
        #[schema(example = 960)]
        conversations: u64,
        /// Calls of models.
        #[schema(example = 4100)]
        calls: u64,
        /// Calls of tools.
        #[schema(example = 720)]
        tool_calls: u64,
        /// Of calls of models.
        #[schema(example = 3120000)]
        input_tokens: u64,
        #[schema(example = 410000)]
        output_tokens: u64,
        /// Calls of models whose cost is known; the others count as nothing in `cost_usd`.
        #[schema(example = 4080)]
        priced_calls: u64,
        /// Of calls of models; null where there were some and none has a cost that is known.
        cost_usd: Option<Money>,
        /// When the newest run began, in UTC.
        #[schema(example = "2026-02-07T23:59:12.123456Z")]
        newest_run: Option<String>,
    }
    sorted by "-runs", told apart by "assistant_code"
}

table_row! {
    /// How calls of one model went.
    pub struct Model {
        /// Null for calls that name no model.
        #[schema(example = "gpt-4o")]
        model: Option<String>,
        #[schema(example = "openai")]
        provider: Option<String>,
        #[schema(example = 4100)]
        calls: u64,
        /// Failed calls ÷ calls.
        #[schema(example = 0.0098)]
        error_rate: f64,
        /// Failed calls.
        #[schema(example = 40)]
        error_rate_numerator: u64,
        /// Calls.
        #[schema(example = 4100)]
        error_rate_denominator: u64,
        /// How long half of the calls took at the most, in milliseconds, of those that have ended.
        #[schema(example = 820.25)]
        p50_ms: Option<f64>,
        #[schema(example = 2950.0)]
        p95_ms: Option<f64>,
        /// Time to first token, of streamed calls that tell it.
        #[schema(example = 610.0)]
        first_token_p95_ms: Option<f64>,
        #[schema(example = 3120000)]
        input_tokens: u64,
        /// The part of the input that came from a cache.
        #[schema(example = 120000)]
        cached_input_tokens: u64,
        #[schema(example = 410000)]
        output_tokens: u64,
        /// Calls whose cost is known; the others count as nothing in `cost_usd`.
        #[schema(example = 4100)]
        priced_calls: u64,
        /// Null where no call has a cost that is known.
        cost_usd: Option<Money>,
    }
    sorted by "-calls", told apart by "model", "provider"
}

table_row! {
    /// How calls of one tool went.
    pub struct Tool {
        /// Null for calls that name no tool.
        #[schema(example = "search_orders")]
        tool_name: Option<String>,
        #[schema(example = 720)]
        calls: u64,
        /// Calls that did not fail ÷ calls.
        #[schema(example = 0.9583)]
        success_rate: f64,
        /// Calls that did not fail.
        #[schema(example = 690)]
        success_rate_numerator: u64,
        /// Calls.
        #[schema(example = 720)]
        success_rate_denominator: u64,
        /// Calls that failed because they took too long, as the type of the error tells.
        #[schema(example = 12)]
        timeouts: u64,
        /// How long half of the calls took at the most, in milliseconds, of those that have ended.
        #[schema(example = 95.5)]
        p50_ms: Option<f64>,
        #[schema(example = 640.0)]
        p95_ms: Option<f64>,
    }
    sorted by "-calls", told apart by "tool_name"
}

table_row! {
    /// How long one operation took.
    pub struct Operation {
        /// `chat`, `execute_tool`, `invoke_agent` and so on; null for spans that name none.
        #[schema(example = "chat")]
        operation: Option<String>,
        #[schema(example = 5400)]
        spans: u64,
        /// Failed spans ÷ spans.
        #[schema(example = 0.011)]
        error_rate: f64,
        /// Failed spans.
        #[schema(example = 59)]
        error_rate_numerator: u64,
        /// Spans.
        #[schema(example = 5400)]
        error_rate_denominator: u64,
        /// How long half of the spans took at the most, in milliseconds, of those that have ended.
        #[schema(example = 410.0)]
        p50_ms: Option<f64>,
        #[schema(example = 2750.0)]
        p95_ms: Option<f64>,
    }
    sorted by "-p95_ms", told apart by "operation"
}

table_row! {
    /// What one user cost.
    pub struct Customer {
        /// The digest of the user's id; null for spans that name no user.
        #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
        user_id_hash: Option<String>,
        /// Root spans.
        #[schema(example = 14)]
        runs: u64,
        /// Different conversations.
        #[schema(example = 6)]
        conversations: u64,
        /// Calls of models.
        #[schema(example = 31)]
        calls: u64,
        #[schema(example = 18200)]
        input_tokens: u64,
        #[schema(example = 2400)]
        output_tokens: u64,
        /// Of calls whose cost is known; the others count as nothing.
        cost_usd: Money,
    }
    sorted by "-cost_usd", told apart by "user_id_hash"
}

table_row! {
    /// How often one error happened, and when.
    pub struct SpanError {
        /// `unknown` for spans that failed without saying why.
        #[schema(example = "rate_limit_exceeded")]
        error_type: String,
        /// Spans that failed with it.
        #[schema(example = 42)]
        spans: u64,
        /// Traces that they are in.
        #[schema(example = 40)]
        traces: u64,
        /// Different conversations that they are in.
        #[schema(example = 37)]
        conversations: u64,
        /// When the first of these spans began, in UTC.
        #[schema(example = "2026-02-01T08:12:44.000000Z")]
        first_seen: String,
        #[schema(example = "2026-02-07T22:10:03.250000Z")]
        last_seen: String,
        /// A trace to look at.
        #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
        newest_trace_id: String,
    }
    sorted by "-spans", told apart by "error_type"
}
