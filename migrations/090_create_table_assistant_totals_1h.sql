-- The same for what most charts ask, in a few rows.
CREATE TABLE IF NOT EXISTS {{ table("assistant_totals_1h") }} {{ on_cluster }}
(
    is_run               Bool,
    is_call              Bool,
    is_tool_call         Bool,
    bucket               DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    assistant_code       LowCardinality(String),
    environment          LowCardinality(String),
    provider             LowCardinality(String),
    model                LowCardinality(String),
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
    cost_usd             SimpleAggregateFunction(sum, Decimal(38, 9))
)
ENGINE = {{ engine("AggregatingMergeTree", "assistant_totals_1h") }}
PARTITION BY toYYYYMM(bucket)
ORDER BY (is_run, is_call, is_tool_call, bucket, assistant_code, environment, provider, model, status_code, error_type)
SETTINGS {{ deduplication_window }} = 10000
