//! Facts about experiments, and rows that the engine answers with.

use clickhouse::Row;
use serde::Deserialize;

use crate::query::dataset::{Dataset, Field, Grain, Kind, Rollup};
use crate::statistics::{Joint, Sample};

static EXPOSED: [Rollup; 2] = [
    Rollup {
        table: "experiment_variants",
        grain: Grain::Row,
        fields: &["experiment_id", "variant", "profile_code"],
        measures: &["last_time"],
    },
    Rollup {
        table: "experiment_units",
        grain: Grain::Row,
        fields: &["experiment_id", "unit", "variant", "profile_code", "platform"],
        measures: &["last_time", "exposures", "late_exposures"],
    },
];

/// Exposures of units to variants.
pub static EXPOSURES: Dataset = Dataset {
    facts: "experiments/exposures_raw.sql",
    fields: &[
        Field::text("experiment_id"),
        Field::text("variant"),
        Field::text("profile_code"),
        Field::text("platform"),
        Field::text("platform_session_id"),
        Field::text("agent_id"),
        Field::text("conversation_id"),
    ],
    json: Some("data"),
    json_is_content: false,
    tables: &["events"],
    kept_days: None,
    whole_by: Some(&["experiment_id"]),
    rollups: &EXPOSED,
};

static EXPOSED_CONVERSATIONS: [Rollup; 1] = [Rollup {
    table: "experiment_conversations",
    grain: Grain::Row,
    fields: &["experiment_id", "conversation", "unit", "profile_code"],
    measures: &[],
}];

/// Conversations in which units were exposed.
pub static CONVERSATIONS: Dataset = Dataset {
    facts: "experiments/conversations_raw.sql",
    fields: &[Field::text("experiment_id"), Field::text("profile_code")],
    json: None,
    json_is_content: false,
    tables: &["events"],
    kept_days: None,
    whole_by: None,
    rollups: &EXPOSED_CONVERSATIONS,
};

/// Facts about spans, as those about assistants.
pub static SPANS: Dataset = Dataset {
    facts: "assistants/facts_raw.sql",
    fields: &[
        Field::text("assistant_code"),
        Field::text("profile_code"),
        Field::text("agent_id"),
        Field::text("conversation_id"),
        Field { name: "duration_ms", kind: Kind::Number },
    ],
    json: None,
    json_is_content: false,
    tables: &["assistants_tracing_spans"],
    kept_days: None,
    whole_by: None,
    rollups: &[],
};

static QUARTERS: [Rollup; 1] = [Rollup {
    table: "experiment_interactions_15m",
    grain: Grain::Seconds(900),
    fields: &["experiment_id", "variant", "profile_code", "bin"],
    measures: &["interactions", "failed"],
}];

/// How interactions of variants went.
pub static INTERACTIONS: Dataset = Dataset {
    facts: "experiments/interactions_raw.sql",
    fields: &[Field::text("experiment_id"), Field::text("variant"), Field::text("profile_code")],
    json: None,
    json_is_content: false,
    tables: &["events"],
    kept_days: None,
    whole_by: None,
    rollups: &QUARTERS,
};

/// What visitors did, by any event.
pub static GOALS: Dataset = Dataset {
    facts: "experiments/goals_raw.sql",
    fields: &[
        Field::text("event"),
        Field::text("profile_code"),
        Field::text("platform"),
        Field::text("platform_session_id"),
        Field::text("agent_id"),
        Field::text("conversation_id"),
    ],
    json: Some("data"),
    json_is_content: false,
    tables: &["events"],
    kept_days: None,
    whole_by: None,
    rollups: &[],
};

/// `variants.sql`
#[derive(Debug, Clone, Row, Deserialize)]
pub struct VariantRow {
    pub variant: String,
    /// Microseconds since 1970.
    pub last_exposure: i64,
}

/// `gate.sql`
#[derive(Debug, Clone, Row, Deserialize)]
pub struct InteractionsRow {
    pub variant: String,
    /// Of their latencies: see [`Bin`](crate::latencies::Bin).
    pub bin: i16,
    pub interactions: u64,
    pub failed: u64,
}

/// `runs.sql`
#[derive(Debug, Clone, Row, Deserialize)]
pub struct RunsRow {
    pub variant: String,
    pub units: u64,
    /// Units of several variants, whether they count or not.
    pub multiple_units: u64,
    /// Whose end is known.
    pub ended_runs: u64,
    /// The value below the quantile, itself, and the one above.
    pub p95_ms: Vec<f64>,
}

/// `guardrails.sql`: sums and moments over the units of a variant, as in [`ArmRow`].
#[derive(Debug, Clone, Row, Deserialize)]
pub struct GuardrailRow {
    pub variant: String,
    /// By the number of the metric.
    pub metric: u8,
    pub units: u64,
    pub y_sum: f64,
    pub y_variance: f64,
    pub d_sum: f64,
    pub d_variance: f64,
    pub yd_covariance: f64,
}

impl GuardrailRow {
    pub fn joint(&self) -> Joint {
        let sample = |sum, variance| sample(self.units, sum, variance);
        Joint {
            y: sample(self.y_sum, self.y_variance),
            x: sample(self.d_sum, self.d_variance),
            covariance: self.yd_covariance,
        }
    }
}

fn sample(n: u64, sum: f64, variance: f64) -> Sample {
    Sample { n, mean: if n > 0 { sum / n as f64 } else { 0.0 }, variance }
}

/// `health.sql`: units of a variant that were first exposed on a day, on a platform or under a profile.
#[derive(Debug, Clone, Default, Row, Deserialize)]
pub struct HealthRow {
    /// `day`, `platform` or `profile_code`
    pub dimension: String,
    /// Whether it is of all platforms, or profiles, that are not told apart.
    pub is_rest: u8,
    /// The start of the day in seconds since 1970, or a name; empty where none is told.
    pub value: String,
    /// Whether it is of the second half of the range; days are not told apart by that.
    pub is_later: u8,
    pub variant: String,
    /// Units that count.
    pub units: u64,
    /// Units of several variants, whether they count or not.
    pub multiple_units: u64,
    /// Of those, how many came to each other variant; nothing where there are none.
    pub others: Vec<u64>,
    pub exposures: u64,
    pub late_exposures: u64,
}

/// `metric.sql`: sums and moments over the units of a variant, y of the metric, d of its denominator, x of y before.
#[derive(Debug, Clone, Row, Deserialize)]
pub struct ArmRow {
    pub variant: String,
    pub units: u64,
    /// Units of several variants, whether they count or not.
    pub multiple_units: u64,
    pub y_sum: f64,
    pub y_variance: f64,
    pub d_sum: f64,
    pub d_variance: f64,
    pub yd_covariance: f64,
    pub x_sum: f64,
    pub x_variance: f64,
    pub yx_covariance: f64,
    pub units_without_before: u64,
    /// Whether there is an event of the goal, whoever it is of.
    pub has_goal_events: bool,
}

impl ArmRow {
    fn sample(&self, sum: f64, variance: f64) -> Sample {
        sample(self.units, sum, variance)
    }

    pub fn y(&self) -> Sample {
        self.sample(self.y_sum, self.y_variance)
    }

    pub fn with_denominator(&self) -> Joint {
        Joint { y: self.y(), x: self.sample(self.d_sum, self.d_variance), covariance: self.yd_covariance }
    }

    pub fn with_before(&self) -> Joint {
        Joint { y: self.y(), x: self.sample(self.x_sum, self.x_variance), covariance: self.yx_covariance }
    }
}
