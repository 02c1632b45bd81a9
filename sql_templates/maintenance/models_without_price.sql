-- Which models were called whose calls have no cost, and for how many is there a price by now?
-- Row: UnpricedModel
SELECT
    toString(calls.provider) AS provider,
    toString(calls.model) AS model,
    count() AS calls,
    countIf(calls.price IS NOT NULL) AS calls_with_price,
    sum(toUInt64(ifNull(calls.input_tokens, 0))) AS input_tokens,
    sum(toUInt64(ifNull(calls.output_tokens, 0))) AS output_tokens,
    formatDateTime(min(calls.start_time), '%Y-%m-%dT%H:%i:%SZ') AS first_seen,
    formatDateTime(max(calls.start_time), '%Y-%m-%dT%H:%i:%SZ') AS last_seen
FROM (
    SELECT provider, model, input_tokens, output_tokens, start_time, {{ cost }} AS price
    FROM {{ table("assistants_tracing_spans") }}
    WHERE
{% include "maintenance/computed_by_us.sql" %}

    AND cost_usd IS NULL
) AS calls
GROUP BY calls.provider, calls.model
ORDER BY calls DESC, provider, model
