-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("recommendation_agents_15m") }} {{ on_cluster }} AS {{ table("recommendation_agents_15m") }}
ENGINE = {{ distributed_engine("recommendation_agents_15m") }}
