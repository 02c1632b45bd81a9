-- The same facts as `voice_15m`, added up by an hour.
CREATE TABLE IF NOT EXISTS {{ table("voice_1h") }} {{ on_cluster }}
(
    bucket            DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    told_by           LowCardinality(String),
    profile_code      LowCardinality(Nullable(String)),
    platform          LowCardinality(Nullable(String)),
    assistant_code    LowCardinality(String),
    assistant_version LowCardinality(String),
    environment       LowCardinality(String),
    direction         LowCardinality(String),
    outcome           LowCardinality(String),
    transfer_reason   LowCardinality(String),
    calls             SimpleAggregateFunction(sum, UInt64),
    endless_calls     SimpleAggregateFunction(sum, UInt64),
    timed_calls       SimpleAggregateFunction(sum, UInt64),
    call_micros       SimpleAggregateFunction(sum, UInt64),
    turns             SimpleAggregateFunction(sum, UInt64),
    telling_turns     SimpleAggregateFunction(sum, UInt64),
    interrupted_turns SimpleAggregateFunction(sum, UInt64),
    waits             SimpleAggregateFunction(sum, UInt64),
    answered_turns    SimpleAggregateFunction(sum, UInt64),
    dead_air_turns    SimpleAggregateFunction(sum, UInt64),
    dead_air_micros   SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {{ engine("AggregatingMergeTree", "voice_1h") }}
PARTITION BY toYYYYMM(bucket)
ORDER BY (bucket, told_by, profile_code, platform, assistant_code, assistant_version, environment, direction, outcome, transfer_reason)
SETTINGS {{ deduplication_window }} = 10000, allow_nullable_key = 1
