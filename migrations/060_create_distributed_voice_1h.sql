-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("voice_1h") }} {{ on_cluster }} AS {{ table("voice_1h") }}
ENGINE = {{ distributed_engine("voice_1h") }}
