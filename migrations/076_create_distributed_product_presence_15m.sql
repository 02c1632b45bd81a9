-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("product_presence_15m") }} {{ on_cluster }} AS {{ table("product_presence_15m") }}
ENGINE = {{ distributed_engine("product_presence_15m") }}
