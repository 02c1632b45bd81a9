//! The facts about voice agents, and rows that the engine answers with.

use clickhouse::Row;
use serde::Deserialize;

use crate::query::dataset::{Dataset, Field, Grain, Rollup};

/// What tells facts apart, in all tables; `outcome` and `transfer_reason`, which only calls have, come last.
const FIELDS: [Field; 10] = [
    Field::text("profile_code"),
    Field::text("platform"),
    Field::text("assistant_code"),
    Field::text("assistant_version"),
    Field::text("environment"),
    Field::text("direction"),
    Field::text("told_by"),
    Field::text("conversation_id"),
    Field::text("outcome"),
    Field::text("transfer_reason"),
];
const TURN_FIELDS: &[Field] = FIELDS.split_at(8).0;
/// Single facts have no id of their conversation, but its hash.
const FACT_FIELDS: &[Field] = FIELDS.split_at(7).0;

/// What rollups tell apart, from what the bins of waits do to what single facts do.
const ROLLUP_FIELDS: [&str; 13] = [
    "bin",
    "profile_code",
    "platform",
    "assistant_code",
    "assistant_version",
    "environment",
    "direction",
    "told_by",
    "measured",
    "outcome",
    "transfer_reason",
    "milliseconds",
    "conversation",
];
const SUM_FIELDS: &[&str] = &[
    "profile_code",
    "platform",
    "assistant_code",
    "assistant_version",
    "environment",
    "direction",
    "told_by",
    "outcome",
    "transfer_reason",
];

const MEASURES: &[&str] = &[
    "calls",
    "endless_calls",
    "timed_calls",
    "call_micros",
    "turns",
    "telling_turns",
    "interrupted_turns",
    "waits",
    "answered_turns",
    "dead_air_turns",
    "dead_air_micros",
];

static ROLLUPS: [Rollup; 3] = [
    Rollup { table: "voice_1h", grain: Grain::Seconds(3_600), fields: SUM_FIELDS, measures: MEASURES },
    Rollup { table: "voice_15m", grain: Grain::Seconds(900), fields: SUM_FIELDS, measures: MEASURES },
    Rollup { table: "voice_facts", grain: Grain::Row, fields: ROLLUP_FIELDS.split_at(1).1, measures: MEASURES },
];

static WAIT_ROLLUPS: [Rollup; 2] = [
    Rollup {
        table: "voice_latencies_1h",
        grain: Grain::Seconds(3_600),
        fields: ROLLUP_FIELDS.split_at(9).0,
        measures: &["samples"],
    },
    Rollup { table: "voice_facts", grain: Grain::Row, fields: ROLLUP_FIELDS.split_at(1).1, measures: &[] },
];

/// Calls and turns, asked about calls.
pub static CALLS: Dataset = dataset(&FIELDS, &ROLLUPS);
/// Calls and turns, asked about turns as well: those have no outcome.
pub static TURNS: Dataset = dataset(TURN_FIELDS, &ROLLUPS);
/// What can be known of single facts, whatever they are about.
pub static FACTS: Dataset = dataset(FACT_FIELDS, &ROLLUPS);
/// How long callers waited.
pub static WAITS: Dataset = dataset(TURN_FIELDS, &WAIT_ROLLUPS);

const fn dataset(fields: &'static [Field], rollups: &'static [Rollup]) -> Dataset {
    Dataset {
        facts: "voice_agents/facts_raw.sql",
        fields,
        // Events and spans have no paths in common.
        json: None,
        json_is_content: false,
        tables: &["events", "assistants_tracing_spans"],
        kept_days: None,
        whole_by: None,
        rollups,
    }
}

/// `totals.sql`
#[derive(Debug, Clone, Default, Row, Deserialize)]
pub struct TotalsRow {
    pub calls: u64,
    pub contained: u64,
    pub transferred: u64,
    pub abandoned: u64,
    pub calls_with_outcome: u64,
    pub timed_calls: u64,
    pub call_micros: u64,
    pub turns: u64,
    pub telling_turns: u64,
    pub interrupted_turns: u64,
    pub answered_turns: u64,
    pub dead_air_turns: u64,
    pub dead_air_micros: u64,
}

/// `calls_without_end.sql`
#[derive(Debug, Clone, Default, Row, Deserialize)]
pub struct ConversationsRow {
    pub conversations: u64,
}

/// `tellers.sql`
#[derive(Debug, Clone, Default, Row, Deserialize)]
pub struct TellersRow {
    pub by_events: u64,
    pub by_spans: u64,
}
