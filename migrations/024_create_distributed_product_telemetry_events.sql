-- only: cluster
-- What is written and read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("product_telemetry_events") }} {{ on_cluster }} AS {{ table("product_telemetry_events") }}
ENGINE = {{ distributed_engine("product_telemetry_events", "event_id") }}
