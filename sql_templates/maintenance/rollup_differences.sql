-- By how much do the spans that were noted change the rollup? In the order of its key, so that the same question has
-- the same answer.
-- Row: RollupDifference. Fewer calls are a difference below zero, which wraps around, as the sums of the rollup do.
SELECT
    toUnixTimestamp(toStartOfFifteenMinutes(toDateTime(calls.start_time))) AS bucket,
    toString(calls.assistant_code) AS assistant_code,
    toString(calls.assistant_version) AS assistant_version,
    toString(calls.environment) AS environment,
    CAST(calls.profile_code, 'Nullable(String)') AS profile_code,
    toString(calls.operation) AS operation,
    toString(calls.provider) AS provider,
    toString(calls.model) AS model,
    toString(calls.tool_name) AS tool_name,
    toString(calls.event_type) AS event_type,
    toString(calls.status_code) AS status_code,
    toString(calls.error_type) AS error_type,
    reinterpretAsUInt64(sum(toInt64(calls.price IS NOT NULL) - toInt64(calls.cost_usd IS NOT NULL))) AS priced_calls,
    sum(toDecimal128(ifNull(calls.price, 0), 9) - toDecimal128(ifNull(calls.cost_usd, 0), 9)) AS cost_usd
FROM (
    SELECT
        start_time, assistant_code, assistant_version, environment, profile_code, operation, provider, model, tool_name,
        event_type, status_code, error_type, cost_usd, {{ cost }} AS price
    FROM {{ table("assistants_tracing_spans") }}
    WHERE toYYYYMM(start_time) = {{ month }} AND
{% include "maintenance/computed_by_us.sql" %}

    AND
{% include "maintenance/is_noted.sql" %}

) AS calls
GROUP BY
    bucket, calls.assistant_code, calls.assistant_version, calls.environment, calls.profile_code, calls.operation,
    calls.provider, calls.model, calls.tool_name, calls.event_type, calls.status_code, calls.error_type
ORDER BY
    bucket, assistant_code, assistant_version, environment, profile_code, operation, provider, model, tool_name,
    event_type, status_code, error_type
