-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("voice_facts") }} {{ on_cluster }} AS {{ table("voice_facts") }}
ENGINE = {{ distributed_engine("voice_facts") }}
