-- What is measured of each span that is inserted; `assistants/facts_of_latencies_raw.sql` says the same.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("assistant_latencies_view") }} {{ on_cluster }} TO {{ table("assistant_latencies") }} AS
SELECT
    measured,
    start_time AS time,
    assistant_code, assistant_version, environment, profile_code, operation, provider, model, tool_name, event_type, status_code, error_type,
    assumeNotNull(millis) AS milliseconds
FROM {{ table("assistants_tracing_spans") }}
ARRAY JOIN
    ['run', 'first_token'] AS measured,
    [
        if(parent_id = '', dateDiff('microsecond', start_time, span_end_time) / 1000, NULL),
        if(operation IN ('chat', 'generate_content', 'text_completion', 'embeddings'), time_to_first_token_ms, NULL)
    ] AS millis
WHERE millis >= 0
