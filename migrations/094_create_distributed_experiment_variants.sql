-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("experiment_variants") }} {{ on_cluster }} AS {{ table("experiment_variants") }}
ENGINE = {{ distributed_engine("experiment_variants") }}
