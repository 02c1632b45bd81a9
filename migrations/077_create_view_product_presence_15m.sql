-- Adds up each insert into `product_facts`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("product_presence_15m_view") }} {{ on_cluster }} TO {{ table("product_presence_15m") }} AS
SELECT
    user,
    toStartOfFifteenMinutes(toDateTime(time, 'UTC')) AS bucket,
    session, org_id_hash, source,
    min(time) AS first_at,
    max(time) AS last_at,
    count() AS events,
    countIf(name = 'page_viewed') AS page_views,
    countIf(name IN ('filter_changed', 'chart_interacted')) AS acts,
    maxIf(time, name = 'session_ended') AS ended_at,
    max(facts.duration_ms) AS duration_ms,
    max(facts.pages_viewed) AS pages_viewed,
    max(facts.interactions) AS interactions
FROM {{ table("product_facts") }} AS facts
GROUP BY user, bucket, session, org_id_hash, source
