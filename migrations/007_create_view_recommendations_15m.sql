-- Adds up each insert into `events`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("recommendations_15m_view") }} {{ on_cluster }} TO {{ table("recommendations_15m") }} AS
SELECT
    toStartOfFifteenMinutes(toDateTime(time_utc)) AS bucket,
    profile_code, platform, source,
    sum(messages) AS messages,
    sum(assisted_messages) AS assisted_messages,
    sum(sent_characters) AS sent_characters,
    sum(assisted_characters) AS assisted_characters,
    sum(sent_unedited) AS sent_unedited,
    sum(sent_edited) AS sent_edited,
    sum(shown) AS shown,
    sum(accepted) AS accepted,
    sum(dismissed) AS dismissed
FROM (
    SELECT
        time_utc,
        profile_code,
        platform,
        part AS source,
        event = 'Send Message' AND position = 1 AS messages,
        event = 'Send Message' AND position = 1 AND characters > 0 AS assisted_messages,
        if(event = 'Send Message' AND position = 1 AND profile_code IS NOT NULL, ifNull(data.text_length, 0), 0) AS sent_characters,
        if(profile_code IS NOT NULL, characters, 0) AS assisted_characters,
        unedited AS sent_unedited,
        edited AS sent_edited,
        event = 'Recommendation Shown' AS shown,
        event = 'Recommendation Accepted' AS accepted,
        event = 'Recommendation Dismissed' AS dismissed
    FROM {{ table("events") }}
    ARRAY JOIN
        attribution.source AS part,
        attribution.characters AS characters,
        attribution.unedited AS unedited,
        attribution.edited AS edited,
        arrayEnumerate(attribution.source) AS position
    WHERE event IN ('Send Message', 'Recommendation Shown', 'Recommendation Accepted', 'Recommendation Dismissed')
)
GROUP BY bucket, profile_code, platform, source
