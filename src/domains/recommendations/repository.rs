//! The facts about recommendations, and the rows that the engine answers with.

use clickhouse::Row;
use serde::Deserialize;

use crate::query::dataset::{Dataset, Field, Grain, Rollup};

const FIELDS: [Field; 8] = [
    Field::text("profile_code"),
    Field::text("platform"),
    Field::text("agent_id"),
    Field::text("agent_email"),
    Field::text("visitor_id"),
    Field::text("conversation_id"),
    Field::text("platform_session_id"),
    Field::text("source"),
];

/// What is counted; the name, which only the rollup by agent holds, comes first.
const AGENT_MEASURES: [&str; 10] = [
    "agent_name_state",
    "messages",
    "assisted_messages",
    "sent_characters",
    "assisted_characters",
    "sent_unedited",
    "sent_edited",
    "shown",
    "accepted",
    "dismissed",
];
const MEASURES: &[&str] = AGENT_MEASURES.split_at(1).1;

const SOURCE_FIELDS: &[&str] = &["profile_code", "platform", "source"];

static ROLLUPS: [Rollup; 3] = [
    Rollup { table: "recommendations_1h", grain: Grain::Seconds(3_600), fields: SOURCE_FIELDS, measures: MEASURES },
    Rollup { table: "recommendations_15m", grain: Grain::Seconds(900), fields: SOURCE_FIELDS, measures: MEASURES },
    Rollup {
        table: "recommendation_agents_15m",
        grain: Grain::Seconds(900),
        fields: &["profile_code", "platform", "agent_id"],
        measures: &AGENT_MEASURES,
    },
];

/// Facts by source.
pub static RECOMMENDATIONS: Dataset = dataset(&FIELDS);

/// The same facts, asked about whole messages. These have several sources, so none can be named:
/// the source is the last field.
pub static MESSAGES: Dataset = dataset(FIELDS.split_at(FIELDS.len() - 1).0);

const fn dataset(fields: &'static [Field]) -> Dataset {
    Dataset {
        facts: "recommendations/facts_raw.sql",
        fields,
        json: Some("data"),
        json_is_content: false,
        tables: &["events"],
        kept_days: None,
        whole_by: None,
        rollups: &ROLLUPS,
    }
}

/// `funnel.sql`
#[derive(Debug, Clone, Row, Deserialize)]
pub struct FunnelRow {
    pub source: String,
    pub shown_count: u64,
    pub accepted_count: u64,
    pub sent_unedited_count: u64,
    pub sent_edited_count: u64,
}

/// `totals.sql`
#[derive(Debug, Clone, Default, Row, Deserialize)]
pub struct TotalsRow {
    pub total_messages: u64,
    pub total_assisted_messages: u64,
    pub total_sent_characters: u64,
    pub total_assisted_characters: u64,
    pub total_shown: u64,
    pub total_accepted: u64,
    pub total_dismissed: u64,
    pub active_agents: u64,
}
