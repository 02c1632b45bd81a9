-- How did each model do?
-- Row:   Model
-- Names: latencies
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(sums.model), '') AS model,
    nullIf(toString(sums.provider), '') AS provider,
    calls,
    error_rate_numerator,
    calls AS error_rate_denominator,
    error_rate_numerator / calls AS error_rate,
    if(durations[1] >= 0, arrayElementOrNull(durations, 1), NULL) AS p50_ms,
    if(durations[2] >= 0, arrayElementOrNull(durations, 2), NULL) AS p95_ms,
    if(first_tokens[1] >= 0, arrayElementOrNull(first_tokens, 1), NULL) AS first_token_p95_ms,
    input_tokens,
    cached_input_tokens,
    output_tokens,
    priced_calls,
    if(priced_calls = 0 AND calls > 0, NULL, sums.cost_usd) AS cost_usd
FROM (
    SELECT
        facts.model AS model,
        facts.provider AS provider,
        sum(facts.calls) AS calls,
        sum(facts.failed_calls) AS error_rate_numerator,
        sum(facts.input_tokens) AS input_tokens,
        sum(facts.cached_input_tokens) AS cached_input_tokens,
        sum(facts.output_tokens) AS output_tokens,
        sum(facts.priced_calls) AS priced_calls,
        sum(facts.cost_usd) AS cost_usd
    {% include facts %}

    WHERE facts.is_call
    GROUP BY facts.model, facts.provider
) AS sums
LEFT JOIN (
    SELECT
        facts.model AS model,
        facts.provider AS provider,
        quantilesExactInclusiveIf(0.5, 0.95)(facts.milliseconds, facts.measured = 'call') AS durations,
        quantilesExactInclusiveIf(0.95)(facts.milliseconds, facts.measured = 'first_token') AS first_tokens
    {{ latencies }}
    WHERE facts.measured IN ('call', 'first_token')
    GROUP BY facts.model, facts.provider
) AS latencies ON latencies.model = sums.model AND latencies.provider = sums.provider
{% endblock %}
