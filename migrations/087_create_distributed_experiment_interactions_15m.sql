-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("experiment_interactions_15m") }} {{ on_cluster }} AS {{ table("experiment_interactions_15m") }}
ENGINE = {{ distributed_engine("experiment_interactions_15m") }}
