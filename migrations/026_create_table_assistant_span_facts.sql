-- Facts about spans of assistants, on their way to the rollups: what each span is, who ran it, and what counts of it. It
-- keeps nothing. What the facts mean, `assistants/facts_raw.sql` says.
--
-- All rollups are fed from here, so that whoever corrects them does it once, by rows that say how much is different.
CREATE TABLE IF NOT EXISTS {{ table("assistant_span_facts") }} {{ on_cluster }}
(
    time                   DateTime64(6, 'UTC'),
    is_run                 Bool,
    is_call                Bool,
    is_tool_call           Bool,
    assistant_code         LowCardinality(String),
    assistant_version      LowCardinality(String),
    environment            LowCardinality(String),
    profile_code           LowCardinality(Nullable(String)),
    operation              LowCardinality(String),
    provider               LowCardinality(String),
    model                  LowCardinality(String),
    tool_name              LowCardinality(String),
    event_type             LowCardinality(String),
    status_code            LowCardinality(String),
    error_type             LowCardinality(String),
    user_id_hash           String,
    conversation           Nullable(UInt64) COMMENT 'the hash of its id',
    duration_ms            Nullable(Float64),
    time_to_first_token_ms Nullable(Float64),
    spans                  UInt64,
    runs                   UInt64,
    failed_runs            UInt64,
    endless_runs           UInt64,
    calls                  UInt64,
    failed_calls           UInt64,
    tool_calls             UInt64,
    failed_tool_calls      UInt64,
    timed_out_tool_calls   UInt64,
    input_tokens           UInt64,
    output_tokens          UInt64,
    cached_input_tokens    UInt64,
    priced_calls           UInt64,
    cost_usd               Decimal(38, 9)
)
ENGINE = Null
