-- Which spans does a trace have, and what do they say?
-- Row:        SpanRow
-- Parameters: {trace_id}; {most_spans} spans, the first of them; {most_bytes} of what they say
-- Names:      has_content = whether inputs and outputs may be seen
SELECT
    span_id,
    parent_id,
    toString(name) AS name,
    toString(kind) AS kind,
    toUnixTimestamp64Micro(time) AS start,
    toUnixTimestamp64Micro(span_end_time) AS end,
    toString(status_code) AS status,
    status_description,
    toString(error_type) AS error_type,
    toString(operation) AS operation,
    toString(assistant_code) AS assistant_code,
    toString(assistant_version) AS assistant_version,
    toString(provider) AS provider,
    toString(model) AS model,
    toString(tool_name) AS tool_name,
    conversation_id,
    user_id_hash,
    input_tokens,
    output_tokens,
    cached_input_tokens,
    CAST(cost_usd, 'Nullable(Decimal(38, 9))') AS cost_usd,
    time_to_first_token_ms,
    toBool(is_call) AS is_call,
    toBool(is_tool_call) AS is_tool_call,
    toBool(is_failed) AS is_failed,
    toBool(said > {most_bytes:UInt64}) AS is_shortened,
    if(is_shortened, '', details) AS details,
    {% if has_content %}
    if(is_shortened, '', input) AS input,
    if(is_shortened, '', output) AS output
    {% else %}
    '' AS input,
    '' AS output
    {% endif %}
FROM (
    SELECT
    {% include "assistants/facts_fields.sql" %}

        parent_id,
        status_description,
        span_end_time,
        input_tokens,
        output_tokens,
        cached_input_tokens,
        cost_usd,
        input,
        output,
        details,
        sum(length(details) + length(input) + length(output))
            OVER (ORDER BY start_time, span_id ROWS UNBOUNDED PRECEDING) AS said
    FROM {{ table("assistants_tracing_spans") }}
    WHERE trace_id = {trace_id:String} AND {{ base("start_time") }}
    ORDER BY time, span_id
    LIMIT 1 BY span_id
    LIMIT {most_spans:UInt64}
)
ORDER BY start, span_id
