-- Facts about runs and calls of models, added up by an hour and by who they were for.
CREATE TABLE IF NOT EXISTS {{ table("assistant_users_1h") }} {{ on_cluster }}
(
    bucket            DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    user_id_hash      String,
    assistant_code    LowCardinality(String),
    assistant_version LowCardinality(String),
    environment       LowCardinality(String),
    profile_code      LowCardinality(Nullable(String)),
    runs              SimpleAggregateFunction(sum, UInt64),
    calls             SimpleAggregateFunction(sum, UInt64),
    input_tokens      SimpleAggregateFunction(sum, UInt64),
    output_tokens     SimpleAggregateFunction(sum, UInt64),
    cost_usd          SimpleAggregateFunction(sum, Decimal(38, 9)),
    conversations     AggregateFunction(uniqExact, Nullable(UInt64))
)
ENGINE = {{ engine("AggregatingMergeTree", "assistant_users_1h") }}
PARTITION BY toYYYYMM(bucket)
ORDER BY (bucket, user_id_hash, assistant_code, assistant_version, environment, profile_code)
SETTINGS {{ deduplication_window }} = 10000, allow_nullable_key = 1
