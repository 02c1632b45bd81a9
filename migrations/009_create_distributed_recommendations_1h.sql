-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("recommendations_1h") }} {{ on_cluster }} AS {{ table("recommendations_1h") }}
ENGINE = {{ distributed_engine("recommendations_1h") }}
