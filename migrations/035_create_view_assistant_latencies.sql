-- What is measured of each span that is inserted; `assistants/facts_of_latencies_raw.sql` says the same.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("assistant_latencies_view") }} {{ on_cluster }} TO {{ table("assistant_latencies") }} AS
SELECT
    measured,
    time,
    assistant_code, assistant_version, environment, profile_code, operation, provider, model, tool_name, event_type, status_code, error_type,
    assumeNotNull(millis) AS milliseconds
FROM {{ table("assistant_span_facts") }}
ARRAY JOIN
    ['run', 'call', 'tool_call', 'first_token'] AS measured,
    [
        if(is_run, duration_ms, NULL),
        if(is_call, duration_ms, NULL),
        if(is_tool_call, duration_ms, NULL),
        if(is_call, time_to_first_token_ms, NULL)
    ] AS millis
WHERE millis >= 0
