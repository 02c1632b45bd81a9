-- Adds up each insert into `recommendations_15m`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("recommendations_1h_view") }} {{ on_cluster }} TO {{ table("recommendations_1h") }} AS
SELECT
    toStartOfHour(quarters.bucket) AS bucket,
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
FROM {{ table("recommendations_15m") }} AS quarters
GROUP BY bucket, profile_code, platform, source
