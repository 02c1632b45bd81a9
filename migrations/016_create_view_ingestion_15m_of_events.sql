-- Counts each insert into `events`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("ingestion_15m_of_events_view") }} {{ on_cluster }} TO {{ table("ingestion_15m") }} AS
SELECT
    toStartOfFifteenMinutes(toDateTime(ingested_at)) AS bucket,
    'events' AS table_name,
    count() AS row_count,
    max(ingested_at) AS newest
FROM {{ table("events") }}
GROUP BY bucket, table_name
