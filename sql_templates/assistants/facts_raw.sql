-- Facts about assistants, from raw spans. Tokens and cost are counted in calls only, because agents and workflows
-- repeat those of their children.
SELECT
    {% include "assistants/facts_fields.sql" %}

    toUInt64(1) AS spans,
    toUInt64(is_run) AS runs,
    toUInt64(is_run AND is_failed) AS failed_runs,
    toUInt64(is_run AND span_end_time IS NULL) AS endless_runs,
    toUInt64(is_call) AS calls,
    toUInt64(is_call AND is_failed) AS failed_calls,
    toUInt64(is_tool_call) AS tool_calls,
    toUInt64(is_tool_call AND is_failed) AS failed_tool_calls,
    toUInt64(is_tool_call AND is_failed AND is_timeout) AS timed_out_tool_calls,
    toUInt64(if(is_call, ifNull(raw.input_tokens, 0), 0)) AS input_tokens,
    toUInt64(if(is_call, ifNull(raw.output_tokens, 0), 0)) AS output_tokens,
    toUInt64(if(is_call, ifNull(raw.cached_input_tokens, 0), 0)) AS cached_input_tokens,
    toUInt64(is_call AND raw.cost_usd IS NOT NULL) AS priced_calls,
    toDecimal128(if(is_call, ifNull(raw.cost_usd, 0), 0), 9) AS cost_usd,
    if(is_run, raw.start_time, NULL) AS newest_run,
    initializeAggregation('uniqExactState', if(conversation_id = '', NULL, cityHash64(conversation_id))) AS conversations
FROM {{ table("assistants_tracing_spans") }} AS raw
WHERE {{ base("start_time") }}
