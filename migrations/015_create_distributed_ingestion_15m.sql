-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("ingestion_15m") }} {{ on_cluster }} AS {{ table("ingestion_15m") }}
ENGINE = {{ distributed_engine("ingestion_15m") }}
