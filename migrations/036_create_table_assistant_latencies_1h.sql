-- The same of runs and first tokens by the hour, in bins of 2 % width: quantiles of any number of hours and groups can be made of them, each
-- within 1 % of the exact one.
--
-- `bin` is floor(log(milliseconds) / log(1.02)), and -32768 for 0.
CREATE TABLE IF NOT EXISTS {{ table("assistant_latencies_1h") }} {{ on_cluster }}
(
    measured          LowCardinality(String),
    bucket            DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    assistant_code    LowCardinality(String),
    assistant_version LowCardinality(String),
    environment       LowCardinality(String),
    profile_code      LowCardinality(Nullable(String)),
    operation         LowCardinality(String),
    provider          LowCardinality(String),
    model             LowCardinality(String),
    bin               Int16,
    samples           SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {{ engine("AggregatingMergeTree", "assistant_latencies_1h") }}
PARTITION BY toYYYYMM(bucket)
ORDER BY (measured, bucket, assistant_code, assistant_version, environment, profile_code, operation, provider, model, bin)
SETTINGS {{ deduplication_window }} = 10000, allow_nullable_key = 1
