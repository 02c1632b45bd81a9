-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("voice_15m") }} {{ on_cluster }} AS {{ table("voice_15m") }}
ENGINE = {{ distributed_engine("voice_15m") }}
