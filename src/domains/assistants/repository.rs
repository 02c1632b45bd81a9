//! The facts about assistants, and rows that the engine answers with.

use clickhouse::Row;
use serde::Deserialize;

use crate::answer::Money;
use crate::query::dataset::{Dataset, Field, Grain, Kind, Rollup};
use crate::statistics::Sample;

/// What rollups tell apart. What a span is comes first, as in their keys.
const ROLLUP_FIELDS: &[&str] = &[
    "is_run",
    "is_call",
    "is_tool_call",
    "assistant_code",
    "assistant_version",
    "environment",
    "profile_code",
    "operation",
    "provider",
    "model",
    "tool_name",
    "event_type",
    "status_code",
    "error_type",
];

const MEASURES: &[&str] = &[
    "spans",
    "runs",
    "failed_runs",
    "endless_runs",
    "calls",
    "failed_calls",
    "tool_calls",
    "failed_tool_calls",
    "timed_out_tool_calls",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "priced_calls",
    "cost_usd",
    "newest_run",
    "conversations",
];

const HOURS: Rollup =
    Rollup { table: "assistant_spans_1h", grain: Grain::Seconds(3_600), fields: ROLLUP_FIELDS, measures: MEASURES };
const QUARTERS: Rollup = Rollup { table: "assistant_spans_15m", grain: Grain::Seconds(900), ..HOURS };

static ROLLUPS: [Rollup; 2] = [HOURS, QUARTERS];

const FIELDS: &[Field] = &[
    Field::text("assistant_code"),
    Field::text("assistant_version"),
    Field::text("environment"),
    Field::text("profile_code"),
    Field::text("operation"),
    Field::text("provider"),
    Field::text("model"),
    Field::text("tool_name"),
    Field::text("event_type"),
    Field::text("status_code"),
    Field::text("error_type"),
    Field::text("agent_id"),
    Field::text("conversation_id"),
    Field::text("user_id_hash"),
    Field::text("trace_id"),
    Field::text("span_id"),
    Field::text("name"),
    Field::text("kind"),
    Field { name: "duration_ms", kind: Kind::Number },
    Field { name: "time_to_first_token_ms", kind: Kind::Number },
];

/// Facts about spans.
pub static SPANS: Dataset = Dataset {
    facts: "assistants/facts_raw.sql",
    fields: FIELDS,
    json: Some("attributes"),
    json_is_content: true,
    tables: &["assistants_tracing_spans"],
    kept_days: None,
    whole_by: None,
    rollups: &ROLLUPS,
};

/// The measures that can be added up.
const SUMS: &[&str] = MEASURES.split_at(14).0;

static TOTAL_ROLLUPS: [Rollup; 3] = [
    Rollup {
        table: "assistant_totals_1h",
        grain: Grain::Seconds(3_600),
        fields: &[
            "is_run",
            "is_call",
            "is_tool_call",
            "assistant_code",
            "environment",
            "provider",
            "model",
            "status_code",
            "error_type",
        ],
        measures: SUMS,
    },
    Rollup { measures: SUMS, ..HOURS },
    Rollup { measures: SUMS, ..QUARTERS },
];

/// Facts about spans of which all that is asked can be added up.
pub static TOTALS: Dataset = Dataset { rollups: &TOTAL_ROLLUPS, ..SPANS };

static USER_ROLLUPS: [Rollup; 1] = [Rollup {
    table: "assistant_users_1h",
    grain: Grain::Seconds(3_600),
    fields: &["user_id_hash", "assistant_code", "assistant_version", "environment", "profile_code"],
    measures: &["runs", "calls", "input_tokens", "output_tokens", "cost_usd", "conversations"],
}];

/// Facts about runs and calls of models, by who they were for.
pub static USERS: Dataset = Dataset { facts: "assistants/facts_of_users_raw.sql", rollups: &USER_ROLLUPS, ..SPANS };

/// What tells latencies apart by the hour, and one by one.
const LATENCY_FIELDS: [&str; 14] = [
    "measured",
    "bin",
    "assistant_code",
    "assistant_version",
    "environment",
    "profile_code",
    "operation",
    "provider",
    "model",
    "tool_name",
    "event_type",
    "status_code",
    "error_type",
    "milliseconds",
];

static LATENCY_ROLLUPS: [Rollup; 3] = [
    latencies("assistant_latency_totals_1h", Grain::Seconds(3_600), 2),
    latencies("assistant_latencies_1h", Grain::Seconds(3_600), 9),
    latencies("assistant_latencies", Grain::Row, 14),
];

/// A table of latencies that has the first of their fields.
const fn latencies(table: &'static str, grain: Grain, fields: usize) -> Rollup {
    Rollup { table, grain, fields: LATENCY_FIELDS.split_at(fields).0, measures: &["samples"] }
}

/// How long runs took, and how long callers of models waited for the first token.
pub static LATENCIES: Dataset = Dataset {
    facts: "assistants/facts_of_latencies_raw.sql",
    fields: FIELDS,
    json: Some("attributes"),
    json_is_content: true,
    tables: &["assistants_tracing_spans"],
    kept_days: None,
    whole_by: None,
    rollups: &LATENCY_ROLLUPS,
};

/// `totals.sql`
#[derive(Debug, Clone, Default, Row, Deserialize)]
pub struct TotalsRow {
    pub runs: u64,
    pub failed_runs: u64,
    /// Runs whose end is not known.
    pub endless_runs: u64,
    pub calls: u64,
    pub calls_without_model: u64,
    pub priced_calls: u64,
    pub tool_calls: u64,
    pub failed_tool_calls: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_usd: Money,
    pub conversations: u64,
}

/// `cost_coverage.sql`
#[derive(Debug, Clone, Copy, Default, Row, Deserialize)]
pub struct CoverageRow {
    pub calls: u64,
    /// Those whose cost is known.
    pub priced_calls: u64,
}

/// `slo.sql`
#[derive(Debug, Clone, Row, Deserialize)]
pub struct ReachedRow {
    pub assistant_code: String,
    pub runs: u64,
    pub failed_runs: u64,
    pub cost_usd: Money,
}

/// `slo_latencies.sql`
#[derive(Debug, Clone, Row, Deserialize)]
pub struct FastRow {
    pub assistant_code: String,
    pub ended_runs: u64,
    pub fast_runs: u64,
}

/// `regressions.sql`
#[derive(Debug, Clone, Default, Row, Deserialize)]
pub struct ArmRow {
    pub variant: String,
    pub assistant_code: String,
    pub is_all: bool,
    pub units: u64,
    pub failed: u64,
    pub ended: u64,
    /// p50 and p95, each as three: the value below it, itself, and the one above.
    pub latency: Vec<f64>,
    pub streamed: u64,
    pub first_token: Vec<f64>,
}

/// `regressions_of_runs.sql` and `regressions_of_calls.sql`
#[derive(Debug, Clone, Default, Row, Deserialize)]
pub struct UsedRow {
    pub variant: String,
    pub assistant_code: String,
    pub is_all: bool,
    pub units: u64,
    pub cost_mean: f64,
    pub cost_variance: f64,
    pub tokens_mean: f64,
    pub tokens_variance: f64,
}

impl UsedRow {
    pub fn cost(&self) -> Sample {
        Sample { n: self.units, mean: self.cost_mean, variance: self.cost_variance }
    }

    pub fn tokens(&self) -> Sample {
        Sample { n: self.units, mean: self.tokens_mean, variance: self.tokens_variance }
    }
}

/// `regressions_errors.sql`
#[derive(Debug, Clone, Row, Deserialize)]
pub struct ErrorRow {
    pub error_type: String,
    pub baseline_traces: u64,
    pub candidate_traces: u64,
}

/// `regressions_mix.sql`
#[derive(Debug, Clone, Row, Deserialize)]
pub struct MixRow {
    pub dimension: String,
    pub baseline_units: u64,
    pub candidate_units: u64,
    pub baseline_traces: u64,
    pub candidate_traces: u64,
}

/// `runs.sql`
#[derive(Debug, Clone, Row, Deserialize)]
pub struct RunRow {
    pub event_type: String,
    pub trace_id: String,
    pub span_id: String,
    pub name: String,
    /// Microseconds since 1970; likewise below.
    pub start: i64,
    pub duration_ms: Option<f64>,
    pub status: String,
    pub error_type: String,
    pub assistant_code: String,
    pub assistant_version: String,
    pub environment: String,
    pub profile_code: Option<String>,
    pub conversation_id: String,
    pub user_id_hash: String,
}

/// `run_totals.sql`
#[derive(Debug, Clone, Default, Row, Deserialize)]
pub struct RunTotalsRow {
    pub trace_id: String,
    pub spans: u64,
    pub failed_spans: u64,
    pub calls: u64,
    pub tool_calls: u64,
    pub models: Vec<String>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_usd: Option<Money>,
}

/// `trace.sql`
#[derive(Debug, Clone, Row, Deserialize)]
pub struct SpanRow {
    pub span_id: String,
    pub parent_id: String,
    pub name: String,
    pub kind: String,
    pub start: i64,
    pub end: Option<i64>,
    pub status: String,
    pub status_description: String,
    pub error_type: String,
    pub operation: String,
    pub assistant_code: String,
    pub assistant_version: String,
    pub provider: String,
    pub model: String,
    pub tool_name: String,
    pub conversation_id: String,
    pub user_id_hash: String,
    pub input_tokens: Option<u32>,
    pub output_tokens: Option<u32>,
    pub cached_input_tokens: Option<u32>,
    pub cost_usd: Option<Money>,
    pub time_to_first_token_ms: Option<f64>,
    pub is_call: bool,
    pub is_tool_call: bool,
    pub is_failed: bool,
    pub is_shortened: bool,
    /// JSON with `attributes`, `events`, `links`, `resource`; empty when it is shortened.
    pub details: String,
    pub input: String,
    pub output: String,
}
