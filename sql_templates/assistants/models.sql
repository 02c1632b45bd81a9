-- How did each model do?
-- Row: Model
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(facts.model), '') AS model,
    nullIf(toString(facts.provider), '') AS provider,
    sum(facts.calls) AS calls,
    sum(facts.failed_calls) AS error_rate_numerator,
    calls AS error_rate_denominator,
    error_rate_numerator / calls AS error_rate,
    quantilesExactInclusive(0.5, 0.95)(facts.duration_ms) AS durations,
    if(durations[1] >= 0, durations[1], NULL) AS p50_ms,
    if(durations[2] >= 0, durations[2], NULL) AS p95_ms,
    quantilesExactInclusive(0.5, 0.95)(facts.time_to_first_token_ms) AS first_tokens,
    if(first_tokens[2] >= 0, first_tokens[2], NULL) AS first_token_p95_ms,
    sum(facts.input_tokens) AS input_tokens,
    sum(facts.cached_input_tokens) AS cached_input_tokens,
    sum(facts.output_tokens) AS output_tokens,
    sum(facts.priced_calls) AS priced_calls,
    sum(facts.cost_usd) AS cost_usd
{% include facts %}

WHERE facts.is_call
GROUP BY facts.model, facts.provider
{% endblock %}
