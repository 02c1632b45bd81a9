-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("recommendations_15m") }} {{ on_cluster }} AS {{ table("recommendations_15m") }}
ENGINE = {{ distributed_engine("recommendations_15m") }}
