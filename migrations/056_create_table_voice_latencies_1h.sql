-- How long callers of voice agents waited, by the hour and in bins of 2 % width, as in `assistant_latencies_1h`.
CREATE TABLE IF NOT EXISTS {{ table("voice_latencies_1h") }} {{ on_cluster }}
(
    measured          LowCardinality(String),
    bucket            DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    told_by           LowCardinality(String),
    profile_code      LowCardinality(Nullable(String)),
    platform          LowCardinality(Nullable(String)),
    assistant_code    LowCardinality(String),
    assistant_version LowCardinality(String),
    environment       LowCardinality(String),
    direction         LowCardinality(String),
    bin               Int16,
    samples           SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {{ engine("AggregatingMergeTree", "voice_latencies_1h") }}
PARTITION BY toYYYYMM(bucket)
ORDER BY (measured, bucket, told_by, profile_code, platform, assistant_code, assistant_version, environment, direction, bin)
SETTINGS {{ deduplication_window }} = 10000, allow_nullable_key = 1
