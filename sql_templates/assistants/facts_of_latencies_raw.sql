-- How long runs, calls of models and calls of tools took, and how long callers waited for the first token, from raw
-- spans: a row for each that a span has. Bins are 2 % wide.
SELECT
    {% include "assistants/facts_fields.sql" %}

    measured,
    assumeNotNull(millis) AS milliseconds,
    if(milliseconds > 0, toInt16(floor(log(milliseconds) / log(1.02))), toInt16(-32768)) AS bin,
    toUInt64(1) AS samples
FROM {{ table("assistants_tracing_spans") }} AS raw
ARRAY JOIN
    ['run', 'call', 'tool_call', 'first_token'] AS measured,
    [
        if(is_run, duration_ms, NULL),
        if(is_call, duration_ms, NULL),
        if(is_tool_call, duration_ms, NULL),
        if(is_call, raw.time_to_first_token_ms, NULL)
    ] AS millis
WHERE millis >= 0 AND {{ base("start_time") }}
