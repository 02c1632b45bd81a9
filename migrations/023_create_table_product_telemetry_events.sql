-- Product telemetry: what was used, by nobody in particular. Ingestion refuses whatever could say who it
-- was or what was looked at; every field of the payload is in the catalogue and typed here. Kept for 180
-- days, whatever the retention of other rows is.
CREATE TABLE IF NOT EXISTS {{ table("product_telemetry_events") }} {{ on_cluster }}
(
    org_id_hash       LowCardinality(String),
    event_id          UUID,
    name              LowCardinality(String),
    schema_version    LowCardinality(String),
    session_id        String,
    anonymous_user_id String,
    route_pattern     LowCardinality(String),
    payload_json JSON(
        action                 LowCardinality(Nullable(String)),
        boundary               LowCardinality(Nullable(String)),
        chart                  LowCardinality(Nullable(String)),
        duration_ms            Nullable(UInt32),
        error_class            LowCardinality(Nullable(String)),
        feature                LowCardinality(Nullable(String)),
        filter_key             LowCardinality(Nullable(String)),
        interactions           Nullable(UInt32),
        pages_viewed           Nullable(UInt32),
        previous_route_pattern LowCardinality(Nullable(String)),
        surface                LowCardinality(Nullable(String)),
        value_count            Nullable(UInt32),
        view                   LowCardinality(Nullable(String))
    ),
    occurred_at       DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ingested_at       DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    source            LowCardinality(String)
)
ENGINE = {{ engine("MergeTree", "product_telemetry_events") }}
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (name, occurred_at)
TTL toDateTime(occurred_at) + INTERVAL 180 DAY
SETTINGS {{ deduplication_window }} = 10000
