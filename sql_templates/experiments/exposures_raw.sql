-- Exposures of units to variants, from raw events; `experiment_units` adds up the same.
SELECT
    time_utc AS time,
    experiment_id,
    if(ifNull(visitor_id, '') = '', 0, cityHash64(assumeNotNull(visitor_id))) AS unit,
    variant,
    profile_code,
    platform,
    time_utc AS last_time,
    toUInt64(1) AS exposures,
    toUInt64(ingested_at > time_utc + toIntervalHour(1)) AS late_exposures{% if has_marks %},
    ifNull({{ marks }}, false) AS is_chosen{% endif %}

FROM (
    SELECT *, ifNull(data.experiment_id, '') AS experiment_id, ifNull(data.variant, '') AS variant
    FROM {{ table("events") }}
    WHERE event = 'exposure' AND data.experiment_id != '' AND data.variant != ''
)
WHERE {{ base("time_utc") }}
