-- What did each assistant do?
-- Row:        Assistant
-- Names:      codes and names of the assistants whose names are known, as arrays
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(facts.assistant_code), '') AS assistant_code,
    nullIf(transform(toString(facts.assistant_code), {{ codes }}, {{ names }}, ''), '') AS assistant_name,
    sum(facts.runs) AS runs,
    sum(facts.failed_runs) AS error_rate_numerator,
    runs AS error_rate_denominator,
    if(runs > 0, error_rate_numerator / runs, NULL) AS error_rate,
    quantilesExactInclusiveIf(0.5, 0.95)(facts.duration_ms, facts.is_run) AS durations,
    if(durations[1] >= 0, durations[1], NULL) AS p50_ms,
    if(durations[2] >= 0, durations[2], NULL) AS p95_ms,
    uniqExactIf(facts.conversation_id, facts.conversation_id != '') AS conversations,
    sum(facts.calls) AS calls,
    sum(facts.tool_calls) AS tool_calls,
    sum(facts.input_tokens) AS input_tokens,
    sum(facts.output_tokens) AS output_tokens,
    sum(facts.cost_usd) AS cost_usd,
    if(runs > 0, formatDateTime(maxIf(facts.time, facts.is_run), '%Y-%m-%dT%H:%i:%S.%fZ'), NULL) AS newest_run
{% include facts %}

GROUP BY facts.assistant_code
{% endblock %}
