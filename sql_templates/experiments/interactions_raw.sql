-- How interactions of variants went, from raw events; `experiment_interactions_15m` adds up the same.
SELECT
    time_utc AS time,
    experiment_id,
    variant,
    profile_code,
    multiIf(
        event = 'error' OR latency_ms IS NULL OR latency_ms < 0, toInt16(-32767),
        latency_ms = 0, toInt16(-32768),
        toInt16(floor(log(assumeNotNull(latency_ms)) / log(1.02)))
    ) AS bin,
    toUInt64(1) AS interactions,
    toUInt64(event = 'error' OR lower(outcome) IN ('error', 'failure', 'failed', 'timeout')) AS failed
FROM (
    SELECT
        *,
        ifNull(data.experiment_id, '') AS experiment_id,
        ifNull(data.variant, '') AS variant,
        ifNull(data.outcome, '') AS outcome,
        data.latency_ms AS latency_ms
    FROM {{ table("events") }}
    WHERE event IN ('interaction', 'error') AND data.experiment_id != '' AND data.variant != ''
)
WHERE {{ base("time_utc") }}
