-- How interactions of variants went, by a quarter of an hour: what gates are decided by. Latencies are in bins of 2 %
-- width, as in `assistant_latencies_1h`; -32767 is the bin of those that tell none.
CREATE TABLE IF NOT EXISTS {{ table("experiment_interactions_15m") }} {{ on_cluster }}
(
    experiment_id LowCardinality(String),
    bucket        DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    variant       LowCardinality(String),
    profile_code  LowCardinality(Nullable(String)),
    bin           Int16,
    interactions  SimpleAggregateFunction(sum, UInt64),
    failed        SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {{ engine("AggregatingMergeTree", "experiment_interactions_15m") }}
PARTITION BY toYYYYMM(bucket)
ORDER BY (experiment_id, bucket, variant, profile_code, bin)
SETTINGS {{ deduplication_window }} = 10000, allow_nullable_key = 1
