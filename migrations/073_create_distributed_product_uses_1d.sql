-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("product_uses_1d") }} {{ on_cluster }} AS {{ table("product_uses_1d") }}
ENGINE = {{ distributed_engine("product_uses_1d") }}
