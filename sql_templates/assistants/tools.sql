-- How did each tool do?
-- Row: Tool
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(facts.tool_name), '') AS tool_name,
    sum(facts.tool_calls) AS calls,
    sumIf(facts.tool_calls, NOT facts.is_failed) AS success_rate_numerator,
    calls AS success_rate_denominator,
    success_rate_numerator / calls AS success_rate,
    sum(facts.timed_out_tool_calls) AS timeouts,
    quantilesExactInclusive(0.5, 0.95)(facts.duration_ms) AS durations,
    if(durations[1] >= 0, durations[1], NULL) AS p50_ms,
    if(durations[2] >= 0, durations[2], NULL) AS p95_ms
{% include facts %}

WHERE facts.is_tool_call
GROUP BY facts.tool_name
{% endblock %}
