-- Adds up the facts of each insert.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("assistant_spans_15m_view") }} {{ on_cluster }} TO {{ table("assistant_spans_15m") }} AS
SELECT
    is_run, is_call, is_tool_call,
    toStartOfFifteenMinutes(toDateTime(facts.time)) AS bucket,
    assistant_code, assistant_version, environment, profile_code, operation, provider, model, tool_name, event_type, status_code, error_type,
    sum(facts.spans) AS spans,
    sum(facts.runs) AS runs,
    sum(facts.failed_runs) AS failed_runs,
    sum(facts.endless_runs) AS endless_runs,
    sum(facts.calls) AS calls,
    sum(facts.failed_calls) AS failed_calls,
    sum(facts.tool_calls) AS tool_calls,
    sum(facts.failed_tool_calls) AS failed_tool_calls,
    sum(facts.timed_out_tool_calls) AS timed_out_tool_calls,
    sum(facts.input_tokens) AS input_tokens,
    sum(facts.output_tokens) AS output_tokens,
    sum(facts.cached_input_tokens) AS cached_input_tokens,
    sum(facts.priced_calls) AS priced_calls,
    sum(facts.cost_usd) AS cost_usd,
    max(if(is_run, facts.time, NULL)) AS newest_run,
    uniqExactState(conversation) AS conversations
FROM {{ table("assistant_span_facts") }} AS facts
GROUP BY is_run, is_call, is_tool_call, bucket, assistant_code, assistant_version, environment, profile_code, operation, provider, model, tool_name, event_type, status_code, error_type
