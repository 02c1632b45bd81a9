-- Who used what on which day of UTC: a row for each user, so that users are counted exactly, however many days are
-- added up. Rows of one thing and one user lie beside each other.
CREATE TABLE IF NOT EXISTS {{ table("product_uses_1d") }} {{ on_cluster }}
(
    name            LowCardinality(String),
    route_pattern   LowCardinality(String),
    feature         LowCardinality(String),
    surface         LowCardinality(String),
    view            LowCardinality(String),
    filter_key      LowCardinality(String),
    chart           LowCardinality(String),
    action          LowCardinality(String),
    boundary        LowCardinality(String),
    error_class     LowCardinality(String),
    user            UInt64,
    bucket          DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    org_id_hash     LowCardinality(String),
    source          LowCardinality(String),
    events          SimpleAggregateFunction(sum, UInt64),
    values_selected SimpleAggregateFunction(sum, UInt64),
    valued_changes  SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {{ engine("AggregatingMergeTree", "product_uses_1d") }}
PARTITION BY toYYYYMM(bucket)
PRIMARY KEY (name, route_pattern, feature, surface, view, filter_key, chart, action, boundary, error_class, user)
ORDER BY (name, route_pattern, feature, surface, view, filter_key, chart, action, boundary, error_class, user, bucket, org_id_hash, source)
TTL bucket + INTERVAL 180 DAY
SETTINGS {{ deduplication_window }} = 10000
