-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("assistant_latencies") }} {{ on_cluster }} AS {{ table("assistant_latencies") }}
ENGINE = {{ distributed_engine("assistant_latencies") }}
