-- Counts each insert into `product_telemetry_events`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("ingestion_15m_of_product_telemetry_events_view") }} {{ on_cluster }} TO {{ table("ingestion_15m") }} AS
SELECT
    toStartOfFifteenMinutes(toDateTime(ingested_at)) AS bucket,
    'product_telemetry_events' AS table_name,
    count() AS row_count,
    max(ingested_at) AS newest
FROM {{ table("product_telemetry_events") }}
GROUP BY bucket, table_name
