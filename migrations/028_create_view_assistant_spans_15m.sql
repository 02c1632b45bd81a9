-- Adds up each insert into `assistants_tracing_spans`; what the facts mean, `assistants/facts_raw.sql` says.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("assistant_spans_15m_view") }} {{ on_cluster }} TO {{ table("assistant_spans_15m") }} AS
SELECT
    toStartOfFifteenMinutes(toDateTime(facts.start_time)) AS bucket,
    assistant_code, assistant_version, environment, profile_code, operation, provider, model, tool_name, event_type, status_code, error_type,
    count() AS spans,
    countIf(is_run) AS runs,
    countIf(is_run AND is_failed) AS failed_runs,
    countIf(is_run AND facts.span_end_time IS NULL) AS endless_runs,
    countIf(is_call) AS calls,
    countIf(is_call AND is_failed) AS failed_calls,
    countIf(is_tool_call) AS tool_calls,
    countIf(is_tool_call AND is_failed) AS failed_tool_calls,
    countIf(is_tool_call AND is_failed AND is_timeout) AS timed_out_tool_calls,
    sumIf(ifNull(facts.input_tokens, 0), is_call) AS input_tokens,
    sumIf(ifNull(facts.output_tokens, 0), is_call) AS output_tokens,
    sumIf(ifNull(facts.cached_input_tokens, 0), is_call) AS cached_input_tokens,
    countIf(is_call AND facts.cost_usd IS NOT NULL) AS priced_calls,
    sumIf(toDecimal128(ifNull(facts.cost_usd, 0), 9), is_call) AS cost_usd,
    uniqExactState(conversation) AS conversations
FROM (
    SELECT
        *,
        parent_id = '' AS is_run,
        operation IN ('chat', 'generate_content', 'text_completion', 'embeddings') AS is_call,
        operation = 'execute_tool' OR tool_name != '' AS is_tool_call,
        status_code = 'ERROR' OR (status_code != 'OK' AND error_type != '') AS is_failed,
        multiSearchAnyCaseInsensitiveUTF8(error_type, ['timeout', 'timed_out', 'timedout', 'deadline']) AS is_timeout,
        if(conversation_id = '', NULL, cityHash64(conversation_id)) AS conversation
    FROM {{ table("assistants_tracing_spans") }}
) AS facts
GROUP BY bucket, assistant_code, assistant_version, environment, profile_code, operation, provider, model, tool_name, event_type, status_code, error_type
