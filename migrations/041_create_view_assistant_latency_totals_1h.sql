-- Adds up each insert into `assistant_latencies_1h`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("assistant_latency_totals_1h_view") }} {{ on_cluster }} TO {{ table("assistant_latency_totals_1h") }} AS
SELECT measured, bucket, bin, sum(samples) AS samples
FROM {{ table("assistant_latencies_1h") }}
GROUP BY measured, bucket, bin
