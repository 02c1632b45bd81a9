-- The same for all that ran, in bins of 2 % width: what most look at, in a few rows.
CREATE TABLE IF NOT EXISTS {{ table("assistant_latency_totals_1h") }} {{ on_cluster }}
(
    measured LowCardinality(String),
    bucket   DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    bin      Int16,
    samples  SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {{ engine("AggregatingMergeTree", "assistant_latency_totals_1h") }}
PARTITION BY toYYYYMM(bucket)
ORDER BY (measured, bucket, bin)
SETTINGS {{ deduplication_window }} = 10000
