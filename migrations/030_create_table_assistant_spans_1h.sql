-- The same facts, added up by an hour.
CREATE TABLE IF NOT EXISTS {{ table("assistant_spans_1h") }} {{ on_cluster }}
(
    is_run               Bool,
    is_call              Bool,
    is_tool_call         Bool,
    bucket               DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    assistant_code       LowCardinality(String),
    assistant_version    LowCardinality(String),
    environment          LowCardinality(String),
    profile_code         LowCardinality(Nullable(String)),
    operation            LowCardinality(String),
    provider             LowCardinality(String),
    model                LowCardinality(String),
    tool_name            LowCardinality(String),
    event_type           LowCardinality(String),
    status_code          LowCardinality(String),
    error_type           LowCardinality(String),
    spans                SimpleAggregateFunction(sum, UInt64),
    runs                 SimpleAggregateFunction(sum, UInt64),
    failed_runs          SimpleAggregateFunction(sum, UInt64),
    endless_runs         SimpleAggregateFunction(sum, UInt64),
    calls                SimpleAggregateFunction(sum, UInt64),
    failed_calls         SimpleAggregateFunction(sum, UInt64),
    tool_calls           SimpleAggregateFunction(sum, UInt64),
    failed_tool_calls    SimpleAggregateFunction(sum, UInt64),
    timed_out_tool_calls SimpleAggregateFunction(sum, UInt64),
    input_tokens         SimpleAggregateFunction(sum, UInt64),
    output_tokens        SimpleAggregateFunction(sum, UInt64),
    cached_input_tokens  SimpleAggregateFunction(sum, UInt64),
    priced_calls         SimpleAggregateFunction(sum, UInt64),
    cost_usd             SimpleAggregateFunction(sum, Decimal(38, 9)),
    newest_run           SimpleAggregateFunction(max, Nullable(DateTime64(6, 'UTC'))),
    conversations        AggregateFunction(uniqExact, Nullable(UInt64))
)
ENGINE = {{ engine("AggregatingMergeTree", "assistant_spans_1h") }}
PARTITION BY toYYYYMM(bucket)
ORDER BY (is_run, is_call, is_tool_call, bucket, assistant_code, assistant_version, environment, profile_code, operation, provider, model, tool_name, event_type, status_code, error_type)
SETTINGS {{ deduplication_window }} = 10000, allow_nullable_key = 1
