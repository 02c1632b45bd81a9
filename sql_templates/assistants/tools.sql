-- How did each tool do?
-- Row:   Tool
-- Names: latencies
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(sums.tool_name), '') AS tool_name,
    calls,
    success_rate_numerator,
    calls AS success_rate_denominator,
    success_rate_numerator / calls AS success_rate,
    timeouts,
    if(durations[1] >= 0, arrayElementOrNull(durations, 1), NULL) AS p50_ms,
    if(durations[2] >= 0, arrayElementOrNull(durations, 2), NULL) AS p95_ms
FROM (
    SELECT
        facts.tool_name AS tool_name,
        sum(facts.tool_calls) AS calls,
        toUInt64(calls - sum(facts.failed_tool_calls)) AS success_rate_numerator,
        sum(facts.timed_out_tool_calls) AS timeouts
    {% include facts %}

    WHERE facts.is_tool_call
    GROUP BY facts.tool_name
) AS sums
LEFT JOIN (
    SELECT facts.tool_name AS tool_name, quantilesExactInclusive(0.5, 0.95)(facts.milliseconds) AS durations
    {{ latencies }}
    WHERE facts.measured = 'tool_call'
    GROUP BY facts.tool_name
) AS latencies ON latencies.tool_name = sums.tool_name
{% endblock %}
