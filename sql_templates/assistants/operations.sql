-- How long did each operation take?
-- Row: Operation
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(facts.operation), '') AS operation,
    sum(facts.spans) AS spans,
    countIf(facts.is_failed) AS error_rate_numerator,
    spans AS error_rate_denominator,
    error_rate_numerator / spans AS error_rate,
    quantilesExactInclusive(0.5, 0.95)(facts.duration_ms) AS durations,
    if(durations[1] >= 0, durations[1], NULL) AS p50_ms,
    if(durations[2] >= 0, durations[2], NULL) AS p95_ms
{% include facts %}

GROUP BY facts.operation
{% endblock %}
