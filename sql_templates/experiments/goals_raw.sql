-- What visitors did, from raw events: their times in microseconds, and what counts of each.
-- Names: value = a number, or NULL
SELECT
    if(ifNull(visitor_id, '') = '', 0, cityHash64(assumeNotNull(visitor_id))) AS unit,
    toUnixTimestamp64Micro(time_utc) AS at,
    {{ value }} AS value
FROM {{ table("events") }}
WHERE {{ base("time_utc") }}
