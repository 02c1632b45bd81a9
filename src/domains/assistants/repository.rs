//! The facts about assistants.

use crate::query::dataset::{Dataset, Field, Kind, Rollup};

/// What a rollup by the hour tells apart; the one by a quarter of an hour has the rest as well.
const ROLLUP_FIELDS: [&str; 11] = [
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
const HOURLY_FIELDS: &[&str] = ROLLUP_FIELDS.split_at(7).0;

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
    "conversations",
];

static ROLLUPS: [Rollup; 2] = [
    Rollup { table: "assistant_spans_1h", grain_seconds: 3_600, fields: HOURLY_FIELDS, measures: MEASURES },
    Rollup { table: "assistant_spans_15m", grain_seconds: 900, fields: &ROLLUP_FIELDS, measures: MEASURES },
];

/// Facts about spans.
pub static SPANS: Dataset = Dataset {
    facts: "assistants/facts_raw.sql",
    fields: &[
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
        Field::text("name"),
        Field::text("kind"),
        Field { name: "duration_ms", kind: Kind::Number },
        Field { name: "time_to_first_token_ms", kind: Kind::Number },
    ],
    json: Some("attributes"),
    table: "assistants_tracing_spans",
    rollups: &ROLLUPS,
};
