-- Keeps the variants of each insert of exposures.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("experiment_variants_view") }} {{ on_cluster }} TO {{ table("experiment_variants") }} AS
SELECT
    experiment_id,
    variant,
    profile_code,
    min(told.time) AS time,
    max(told.time) AS last_time
FROM {{ table("experiment_told") }} AS told
WHERE event = 'exposure'
GROUP BY experiment_id, variant, profile_code
