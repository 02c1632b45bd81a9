-- Counts each insert into `assistants_tracing_spans`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("ingestion_15m_of_assistants_tracing_spans_view") }} {{ on_cluster }} TO {{ table("ingestion_15m") }} AS
SELECT
    toStartOfFifteenMinutes(toDateTime(ingested_at)) AS bucket,
    'assistants_tracing_spans' AS table_name,
    count() AS row_count,
    max(ingested_at) AS newest
FROM {{ table("assistants_tracing_spans") }}
GROUP BY bucket, table_name
