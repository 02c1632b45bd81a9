-- Facts about recommendations, from raw events: a row for each source category that an event counts
-- for, the one with the most characters first. A message is counted once, with its first source.
-- Characters are counted only for messages with a profile code: the others are noise of integrations.
SELECT
    time_utc AS time,
    profile_code,
    platform,
    agent_id,
    initializeAggregation('argMaxState', agent_name, (time_utc, agent_name)) AS agent_name_state,
    part AS source,
    toUInt64(event = 'Send Message' AND position = 1) AS messages,
    toUInt64(event = 'Send Message' AND position = 1 AND characters > 0) AS assisted_messages,
    toUInt64(if(event = 'Send Message' AND position = 1 AND profile_code IS NOT NULL, ifNull(data.text_length, 0), 0)) AS sent_characters,
    toUInt64(if(profile_code IS NOT NULL, characters, 0)) AS assisted_characters,
    toUInt64(unedited) AS sent_unedited,
    toUInt64(edited) AS sent_edited,
    toUInt64(event = 'Recommendation Shown') AS shown,
    toUInt64(event = 'Recommendation Accepted') AS accepted,
    toUInt64(event = 'Recommendation Dismissed') AS dismissed
FROM {{ table("events") }}
ARRAY JOIN
    attribution.source AS part,
    attribution.characters AS characters,
    attribution.unedited AS unedited,
    attribution.edited AS edited,
    arrayEnumerate(attribution.source) AS position
WHERE {{ base("time_utc") }}
    AND event IN ('Send Message', 'Recommendation Shown', 'Recommendation Accepted', 'Recommendation Dismissed')
