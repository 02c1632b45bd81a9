-- How long runs, calls of models and calls of tools took, and how long callers waited for the first token: a narrow
-- row for each, so that exact quantiles read no more than they need; their times are packed for speed.
CREATE TABLE IF NOT EXISTS {{ table("assistant_latencies") }} {{ on_cluster }}
(
    measured          LowCardinality(String),
    time              DateTime64(6, 'UTC') CODEC(Delta(8), LZ4),
    assistant_code    LowCardinality(String),
    assistant_version LowCardinality(String),
    environment       LowCardinality(String),
    profile_code      LowCardinality(Nullable(String)),
    operation         LowCardinality(String),
    provider          LowCardinality(String),
    model             LowCardinality(String),
    tool_name         LowCardinality(String),
    event_type        LowCardinality(String),
    status_code       LowCardinality(String),
    error_type        LowCardinality(String),
    milliseconds      Float64,
    bin               Int16 ALIAS if(milliseconds > 0, toInt16(floor(log(milliseconds) / log(1.02))), toInt16(-32768)) COMMENT 'as in assistant_latencies_1h',
    samples           UInt64 ALIAS toUInt64(1)
)
ENGINE = {{ engine("MergeTree", "assistant_latencies") }}
PARTITION BY toYYYYMM(time)
ORDER BY (measured, time)
{{ ttl("time") }}
SETTINGS {{ deduplication_window }} = 10000
