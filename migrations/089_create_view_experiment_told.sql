-- Picks out what events tell of experiments.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("experiment_told_view") }} {{ on_cluster }} TO {{ table("experiment_told") }} AS
SELECT
    event,
    time_utc AS time,
    ifNull(data.experiment_id, '') AS experiment_id,
    ifNull(data.variant, '') AS variant,
    if(ifNull(visitor_id, '') = '', 0, cityHash64(assumeNotNull(visitor_id))) AS unit,
    if(ifNull(conversation_id, '') = '', 0, cityHash64(assumeNotNull(conversation_id))) AS conversation,
    profile_code,
    platform,
    ifNull(data.outcome, '') AS outcome,
    data.latency_ms AS latency_ms,
    ingested_at > time_utc + toIntervalHour(1) AS is_late
FROM {{ table("events") }}
WHERE event IN ('exposure', 'interaction', 'error') AND data.experiment_id != '' AND data.variant != ''
