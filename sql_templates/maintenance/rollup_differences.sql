-- By how much do the spans that were noted change the rollups? In an order of its own, so that the same question has the
-- same answer.
-- Row: FactsDifference. Fewer calls are a difference below zero, which wraps around, as the sums of the rollups do.
SELECT
    toUnixTimestamp64Micro(toDateTime64(toStartOfFifteenMinutes(toDateTime(calls.start_time)), 6, 'UTC')) AS time,
    toBool(calls.parent_id = '') AS is_run,
    true AS is_call,
    toBool(calls.tool_name != '') AS is_tool_call,
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
    calls.user_id_hash AS user_id_hash,
    reinterpretAsUInt64(sum(toInt64(calls.price IS NOT NULL) - toInt64(calls.cost_usd IS NOT NULL))) AS priced_calls,
    sum(toDecimal128(ifNull(calls.price, 0), 9) - toDecimal128(ifNull(calls.cost_usd, 0), 9)) AS cost_usd
FROM (
    SELECT
        start_time, parent_id, assistant_code, assistant_version, environment, profile_code, operation, provider, model,
        tool_name, event_type, status_code, error_type, user_id_hash, cost_usd, {{ cost }} AS price
    FROM {{ table("assistants_tracing_spans") }}
    WHERE toYYYYMM(start_time) = {{ month }} AND
{% include "maintenance/computed_by_us.sql" %}

    AND
{% include "maintenance/is_noted.sql" %}

) AS calls
GROUP BY
    time, is_run, is_tool_call, calls.assistant_code, calls.assistant_version, calls.environment, calls.profile_code,
    calls.operation, calls.provider, calls.model, calls.tool_name, calls.event_type, calls.status_code, calls.error_type,
    calls.user_id_hash
ORDER BY
    time, is_run, is_tool_call, assistant_code, assistant_version, environment, profile_code, operation, provider, model,
    tool_name, event_type, status_code, error_type, user_id_hash
