-- In which conversations units were exposed, from raw events; `experiment_conversations` adds up the same.
SELECT
    time_utc AS time,
    experiment_id,
    cityHash64(assumeNotNull(conversation_id)) AS conversation,
    cityHash64(assumeNotNull(visitor_id)) AS unit,
    profile_code
FROM (
    SELECT *, ifNull(data.experiment_id, '') AS experiment_id
    FROM {{ table("events") }}
    WHERE event = 'exposure' AND data.experiment_id != '' AND data.variant != ''
        AND ifNull(conversation_id, '') != '' AND ifNull(visitor_id, '') != ''
)
WHERE {{ base("time_utc") }}
