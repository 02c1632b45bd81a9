-- Which spans does a trace have, and what do they say?
-- Row:        SpanRow
-- Parameters: {trace_id}; {most_spans} spans, the first of them; when it is bounded, {most_bytes} of what they say
-- Names:      has_content = whether inputs and outputs may be seen, is_bounded = whether what they say is
SELECT
    spans.span_id AS span_id,
    parent_id,
    name,
    kind,
    toUnixTimestamp64Micro(start_time) AS start,
    toUnixTimestamp64Micro(span_end_time) AS end,
    status_code AS status,
    status_description,
    error_type,
    operation,
    assistant_code,
    assistant_version,
    provider,
    model,
    tool_name,
    conversation_id,
    user_id_hash,
    input_tokens,
    output_tokens,
    cached_input_tokens,
    CAST(spans.cost_usd, 'Nullable(Decimal(38, 9))') AS cost_usd,
    time_to_first_token_ms,
    {% include "assistants/facts_kinds.sql" %}

    {% if is_bounded %}
    toBool(
        sum(length(spans.details) + length(spans.input) + length(spans.output))
            OVER (ORDER BY start_time, spans.span_id ROWS UNBOUNDED PRECEDING) > {most_bytes:UInt64}
    ) AS is_shortened,
    {% else %}
    false AS is_shortened,
    {% endif %}
    if(is_shortened, '', spans.details) AS details,
    {% if has_content %}
    if(is_shortened, '', spans.input) AS input,
    if(is_shortened, '', spans.output) AS output
    {% else %}
    '' AS input,
    '' AS output
    {% endif %}
FROM {{ table("assistants_tracing_spans") }} AS spans
WHERE trace_id = {trace_id:String} AND {{ base("start_time") }}
ORDER BY start_time, span_id
LIMIT 1 BY span_id
LIMIT {most_spans:UInt64}
