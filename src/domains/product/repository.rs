//! The facts about the product's usage, and rows that the engine answers with.

use clickhouse::Row;
use serde::Deserialize;

use crate::query::dataset::{Dataset, Field, Grain, Kind, Rollup};

/// Days that anything about the product's usage is kept.
pub const KEPT_DAYS: u32 = 180;

const fn number(name: &'static str) -> Field {
    Field { name, kind: Kind::Number }
}

/// The first three are about whoever it was, the others about what was done.
const FIELDS: &[Field] = &[
    Field::text("org_id_hash"),
    Field::text("source"),
    Field::text("schema_version"),
    Field::text("name"),
    Field::text("route_pattern"),
    Field::text("feature"),
    Field::text("surface"),
    Field::text("view"),
    Field::text("filter_key"),
    Field::text("chart"),
    Field::text("action"),
    Field::text("boundary"),
    Field::text("error_class"),
    Field::text("previous_route_pattern"),
    number("value_count"),
    number("duration_ms"),
    number("pages_viewed"),
    number("interactions"),
];

/// What single facts tell: all that can be asked for, and whose they are.
const FACT_FIELDS: &[&str] = &[
    "name",
    "org_id_hash",
    "source",
    "schema_version",
    "route_pattern",
    "feature",
    "surface",
    "view",
    "filter_key",
    "chart",
    "action",
    "boundary",
    "error_class",
    "previous_route_pattern",
    "value_count",
    "duration_ms",
    "pages_viewed",
    "interactions",
    "user",
    "session",
];

const USE_MEASURES: &[&str] = &["events", "values_selected", "valued_changes"];

static USE_ROLLUPS: [Rollup; 2] = [
    Rollup {
        table: "product_uses_1d",
        grain: Grain::Seconds(86_400),
        fields: &[
            "name",
            "org_id_hash",
            "source",
            "route_pattern",
            "feature",
            "surface",
            "view",
            "filter_key",
            "chart",
            "action",
            "boundary",
            "error_class",
            "user",
        ],
        measures: USE_MEASURES,
    },
    Rollup { table: "product_facts", grain: Grain::Row, fields: FACT_FIELDS, measures: USE_MEASURES },
];

/// What the rollup of presence holds besides what it tells apart; what a client told of a session is among it, which
/// single facts have as fields.
static PRESENCE_ROLLUPS: [Rollup; 2] = [
    Rollup {
        table: "product_presence_15m",
        grain: Grain::Seconds(900),
        fields: &["user", "session", "org_id_hash", "source"],
        measures: &[
            "first_at",
            "last_at",
            "page_views",
            "acts",
            "ended_at",
            "duration_ms",
            "pages_viewed",
            "interactions",
        ],
    },
    Rollup {
        table: "product_facts",
        grain: Grain::Row,
        fields: FACT_FIELDS,
        measures: &["first_at", "last_at", "page_views", "acts", "ended_at"],
    },
];

/// What was used, and by whom.
pub static USES: Dataset = dataset(FIELDS, &USE_ROLLUPS);
/// Who was there, and in which session.
pub static PRESENCE: Dataset = dataset(FIELDS, &PRESENCE_ROLLUPS);
/// The same, whatever they did there.
pub static PEOPLE: Dataset = dataset(FIELDS.split_at(3).0, &PRESENCE_ROLLUPS);

const fn dataset(fields: &'static [Field], rollups: &'static [Rollup]) -> Dataset {
    Dataset {
        facts: "product/facts_raw.sql",
        fields,
        json: None,
        json_is_content: false,
        tables: &["product_telemetry_events"],
        kept_days: Some(KEPT_DAYS),
        whole_by: None,
        rollups,
    }
}

/// `active_users.sql`: users who were there in one bucket and then not before another.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub struct ReturnsRow {
    /// Start of the bucket, as a Unix time.
    pub start: u32,
    /// Start of the next bucket with them; 0 where there is none.
    pub next: u32,
    pub users: u64,
}

/// `users.sql`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Row, Deserialize)]
pub struct UsersRow {
    pub users: u64,
}

/// `sessions.sql`
#[derive(Debug, Clone, Default, PartialEq, Row, Deserialize)]
pub struct SessionsRow {
    pub sessions: u64,
    /// Those whose end the client told.
    pub told: u64,
    pub users: u64,
    pub duration_ms: f64,
    /// At the levels of [`crate::answer::QUANTILES`].
    pub duration_quantiles: Vec<f64>,
    pub pages: f64,
    pub pages_quantiles: Vec<f64>,
    pub interactions: f64,
    pub interactions_quantiles: Vec<f64>,
    /// Bounds of the histogram that have sessions, and how many.
    pub histogram: (Vec<u32>, Vec<u64>),
}

/// `funnel.sql`: how far the units of one group came.
#[derive(Debug, Clone, Default, PartialEq, Row, Deserialize)]
pub struct FunnelRow {
    pub series: String,
    /// 1 for the rest, which are all groups beyond the largest.
    pub is_rest: u8,
    /// Units that came to each step.
    pub units: Vec<u64>,
    /// Median and p90 of the milliseconds from the first step, of each step but the first.
    pub from_first: Vec<Vec<f64>>,
    pub from_previous: Vec<Vec<f64>>,
}

/// `retention.sql`: users of a cohort who returned in a period.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub struct RetentionRow {
    /// Start of the period that the cohort began in, as a Unix time.
    pub cohort: u32,
    /// Start of the period of the return; 0 for all who began.
    pub returned: u32,
    pub users: u64,
}

/// `paths.sql`: what came after a route.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub struct NextRow {
    /// Empty where nothing came.
    pub route: String,
    pub views: u64,
    /// Views of the route that is asked about, whatever came next.
    pub all_views: u64,
    /// Those after which nothing came.
    pub exits: u64,
}
