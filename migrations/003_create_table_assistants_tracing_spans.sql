-- Spans of assistants: OpenTelemetry's fields, and the columns that questions ask for, filled from
-- the attributes by ingestion.
CREATE TABLE IF NOT EXISTS {{ table("assistants_tracing_spans") }} {{ on_cluster }}
(
    name                   LowCardinality(String),
    span_id                String,
    trace_id               String,
    parent_id              String,
    conversation_id        String,
    kind                   LowCardinality(String),
    start_time             DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    end_time               DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    span_start_time        Nullable(DateTime64(6, 'UTC')),
    span_end_time          Nullable(DateTime64(6, 'UTC')),
    status_code            LowCardinality(String),
    status_description     String,
    agent_id               String,
    assistant_code         LowCardinality(String),
    evaluation_id          String,
    event_type             LowCardinality(String),
    model                  LowCardinality(String),
    model_temperature      Nullable(Float32),
    input                  String,
    output                 String,
    input_tokens           Nullable(UInt32),
    output_tokens          Nullable(UInt32),
    attributes             JSON,
    context                JSON,
    status                 JSON,
    events                 Array(JSON),
    links                  Array(JSON),
    resource               JSON,
    profile_code           LowCardinality(Nullable(String)),
    provider               LowCardinality(String),
    operation              LowCardinality(String),
    tool_name              LowCardinality(String),
    error_type             LowCardinality(String),
    user_id_hash           String,
    assistant_version      LowCardinality(String),
    environment            LowCardinality(String),
    cached_input_tokens    Nullable(UInt32),
    cost_usd               Nullable(Decimal(18, 9)),
    time_to_first_token_ms Nullable(Float64),
    ingested_at            DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = {{ engine("MergeTree", "assistants_tracing_spans") }}
PARTITION BY toYYYYMM(start_time)
ORDER BY (start_time, event_type, trace_id, span_id)
{{ ttl("start_time") }}
SETTINGS {{ deduplication_window }} = 10000
