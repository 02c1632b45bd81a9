-- Usage of the product, event by event, in a narrow row: users and sessions are hashes of their pseudonyms, and the
-- fields of payloads are columns. Rows of one user lie beside each other, which is what funnels and retention are made
-- of; a week is a partition, so that a short range reads little. Kept as long as the events, 180 days.
--
-- The aliases are what rollups of the same facts hold as sums, earliest and latest.
CREATE TABLE IF NOT EXISTS {{ table("product_facts") }} {{ on_cluster }}
(
    name                   LowCardinality(String),
    user                   UInt64,
    time                   DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    session                UInt64,
    org_id_hash            LowCardinality(String),
    source                 LowCardinality(String),
    schema_version         LowCardinality(String),
    route_pattern          LowCardinality(String),
    feature                LowCardinality(String),
    surface                LowCardinality(String),
    view                   LowCardinality(String),
    filter_key             LowCardinality(String),
    chart                  LowCardinality(String),
    action                 LowCardinality(String),
    boundary               LowCardinality(String),
    error_class            LowCardinality(String),
    previous_route_pattern LowCardinality(String),
    value_count            Nullable(UInt32),
    duration_ms            Nullable(UInt32),
    pages_viewed           Nullable(UInt32),
    interactions           Nullable(UInt32),
    events                 UInt64 ALIAS toUInt64(1),
    values_selected        UInt64 ALIAS toUInt64(ifNull(value_count, 0)),
    valued_changes         UInt64 ALIAS toUInt64(value_count IS NOT NULL),
    first_at               DateTime64(6, 'UTC') ALIAS time,
    last_at                DateTime64(6, 'UTC') ALIAS time,
    ended_at               DateTime64(6, 'UTC') ALIAS if(name = 'session_ended', time, toDateTime64(0, 6, 'UTC')),
    page_views             UInt64 ALIAS toUInt64(name = 'page_viewed'),
    acts                   UInt64 ALIAS toUInt64(name IN ('filter_changed', 'chart_interacted'))
)
ENGINE = {{ engine("MergeTree", "product_facts") }}
PARTITION BY toMonday(time)
ORDER BY (name, user, time)
TTL toDateTime(time) + INTERVAL 180 DAY
SETTINGS {{ deduplication_window }} = 10000
