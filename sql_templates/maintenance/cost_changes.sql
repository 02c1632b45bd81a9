-- What would the price book change, by month and model?
-- Row: CostChange
SELECT
    toYYYYMM(calls.start_time) AS month,
    toString(calls.provider) AS provider,
    toString(calls.model) AS model,
    count() AS calls,
    sum(toDecimal128(ifNull(calls.cost_usd, 0), 9)) AS before_usd,
    sum(toDecimal128(ifNull(calls.price, 0), 9)) AS after_usd
FROM (
    SELECT provider, model, start_time, cost_usd, {{ cost }} AS price
    FROM {{ table("assistants_tracing_spans") }}
    WHERE
{% include "maintenance/computed_by_us.sql" %}

    AND
{% include "maintenance/is_changed.sql" %}

) AS calls
GROUP BY month, calls.provider, calls.model
ORDER BY month, provider, model
