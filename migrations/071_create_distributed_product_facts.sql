-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("product_facts") }} {{ on_cluster }} AS {{ table("product_facts") }}
ENGINE = {{ distributed_engine("product_facts") }}
