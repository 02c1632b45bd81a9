//! Rows of `product_telemetry_events`.

use chrono::serde::ts_microseconds;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Row, Table};
use crate::clickhouse::native::{Cells, ColumnOf, Type};
use crate::json::{Object, Text};

/// An event of the product as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductEvent<'a> {
    #[serde(borrow)]
    pub org_id_hash: Text<'a>,
    pub event_id: Uuid,
    pub name: Text<'a>,
    pub schema_version: Text<'a>,
    pub session_id: Text<'a>,
    pub anonymous_user_id: Text<'a>,
    pub route_pattern: Text<'a>,
    pub payload: Object<'a>,
    #[serde(with = "ts_microseconds")]
    pub occurred_at: DateTime<Utc>,
    pub source: Text<'a>,
}

const WORD: Type = Type::Nullable(&Type::Word);
const COUNT: Type = Type::Nullable(&Type::UInt32);

/// Fields of the payload, sorted by their names.
pub const PAYLOAD_PATHS: &[(&str, Type)] = &[
    ("action", WORD),
    ("boundary", WORD),
    ("chart", WORD),
    ("duration_ms", COUNT),
    ("error_class", WORD),
    ("feature", WORD),
    ("filter_key", WORD),
    ("interactions", COUNT),
    ("pages_viewed", COUNT),
    ("previous_route_pattern", WORD),
    ("surface", WORD),
    ("value_count", COUNT),
    ("view", WORD),
];

impl<'a> Row<'a> for ProductEvent<'a> {
    const TABLE: Table = Table::ProductEvents;
    const COLUMNS: &'static [ColumnOf] = &[
        ("org_id_hash", Type::Word),
        ("event_id", Type::Uuid),
        ("name", Type::Word),
        ("schema_version", Type::Word),
        ("session_id", Type::Text),
        ("anonymous_user_id", Type::Text),
        ("route_pattern", Type::Word),
        ("payload_json", Type::Json(PAYLOAD_PATHS)),
        ("occurred_at", Type::Moment),
        ("ingested_at", Type::Moment),
        ("source", Type::Word),
    ];

    fn put_id(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.event_id.as_bytes());
    }

    fn time(&self) -> DateTime<Utc> {
        self.occurred_at
    }

    fn write(&self, accepted_at: DateTime<Utc>, cells: &mut impl Cells) {
        cells.text(&self.org_id_hash);
        cells.uuid(self.event_id);
        cells.text(&self.name);
        cells.text(&self.schema_version);
        cells.text(&self.session_id);
        cells.text(&self.anonymous_user_id);
        cells.text(&self.route_pattern);
        cells.object(&self.payload);
        cells.moment(self.occurred_at);
        cells.moment(accepted_at);
        cells.text(&self.source);
    }
}
