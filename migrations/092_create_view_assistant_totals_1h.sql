-- Adds up each insert into `assistant_spans_1h`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("assistant_totals_1h_view") }} {{ on_cluster }} TO {{ table("assistant_totals_1h") }} AS
SELECT
    is_run, is_call, is_tool_call, bucket, assistant_code, environment, provider, model, status_code, error_type,
    sum(spans) AS spans,
    sum(runs) AS runs,
    sum(failed_runs) AS failed_runs,
    sum(endless_runs) AS endless_runs,
    sum(calls) AS calls,
    sum(failed_calls) AS failed_calls,
    sum(tool_calls) AS tool_calls,
    sum(failed_tool_calls) AS failed_tool_calls,
    sum(timed_out_tool_calls) AS timed_out_tool_calls,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cached_input_tokens) AS cached_input_tokens,
    sum(priced_calls) AS priced_calls,
    sum(cost_usd) AS cost_usd
FROM {{ table("assistant_spans_1h") }}
GROUP BY is_run, is_call, is_tool_call, bucket, assistant_code, environment, provider, model, status_code, error_type
