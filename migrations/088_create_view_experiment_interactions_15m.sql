-- Adds up the interactions and errors of each insert; `experiments/interactions_raw.sql` says the same.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("experiment_interactions_15m_view") }} {{ on_cluster }} TO {{ table("experiment_interactions_15m") }} AS
SELECT
    experiment_id,
    toStartOfFifteenMinutes(toDateTime(told.time)) AS bucket,
    variant,
    profile_code,
    multiIf(
        event = 'error' OR latency_ms IS NULL OR latency_ms < 0, toInt16(-32767),
        latency_ms = 0, toInt16(-32768),
        toInt16(floor(log(assumeNotNull(latency_ms)) / log(1.02)))
    ) AS bin,
    count() AS interactions,
    countIf(event = 'error' OR lower(outcome) IN ('error', 'failure', 'failed', 'timeout')) AS failed
FROM {{ table("experiment_told") }} AS told
WHERE event IN ('interaction', 'error')
GROUP BY experiment_id, bucket, variant, profile_code, bin
