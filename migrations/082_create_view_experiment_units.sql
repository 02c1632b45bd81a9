-- Adds up the exposures of each insert.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("experiment_units_view") }} {{ on_cluster }} TO {{ table("experiment_units") }} AS
SELECT
    experiment_id,
    unit,
    variant,
    profile_code,
    platform,
    min(told.time) AS time,
    max(told.time) AS last_time,
    count() AS exposures,
    countIf(is_late) AS late_exposures
FROM {{ table("experiment_told") }} AS told
WHERE event = 'exposure'
GROUP BY experiment_id, unit, variant, profile_code, platform
