-- What did each assistant do?
-- Row:   Assistant
-- Names: codes and names of the assistants whose names are known, as arrays; latencies
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(sums.assistant_code), '') AS assistant_code,
    nullIf(transform(toString(sums.assistant_code), {{ codes }}, {{ names }}, ''), '') AS assistant_name,
    runs,
    error_rate_numerator,
    runs AS error_rate_denominator,
    if(runs > 0, error_rate_numerator / runs, NULL) AS error_rate,
    if(durations[1] >= 0, arrayElementOrNull(durations, 1), NULL) AS p50_ms,
    if(durations[2] >= 0, arrayElementOrNull(durations, 2), NULL) AS p95_ms,
    conversations,
    calls,
    tool_calls,
    input_tokens,
    output_tokens,
    priced_calls,
    if(priced_calls = 0 AND calls > 0, NULL, sums.cost_usd) AS cost_usd,
    formatDateTime(newest, '%Y-%m-%dT%H:%i:%S.%fZ') AS newest_run
FROM (
    SELECT
        facts.assistant_code AS assistant_code,
        sum(facts.runs) AS runs,
        sum(facts.failed_runs) AS error_rate_numerator,
        uniqExactMerge(facts.conversations) AS conversations,
        sum(facts.calls) AS calls,
        sum(facts.tool_calls) AS tool_calls,
        sum(facts.input_tokens) AS input_tokens,
        sum(facts.output_tokens) AS output_tokens,
        sum(facts.priced_calls) AS priced_calls,
        sum(facts.cost_usd) AS cost_usd,
        max(facts.newest_run) AS newest
    {% include facts %}

    GROUP BY facts.assistant_code
) AS sums
LEFT JOIN (
    SELECT facts.assistant_code AS assistant_code, quantilesExactInclusive(0.5, 0.95)(facts.milliseconds) AS durations
    {{ latencies }}
    WHERE facts.measured = 'run'
    GROUP BY facts.assistant_code
) AS latencies ON latencies.assistant_code = sums.assistant_code
{% endblock %}
