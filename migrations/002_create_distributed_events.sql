-- only: cluster
-- What is written and read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("events") }} {{ on_cluster }} AS {{ table("events") }}
ENGINE = {{ distributed_engine("events", "event_id") }}
