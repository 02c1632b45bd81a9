-- only: cluster
-- What is written and read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("dead_letters") }} {{ on_cluster }} AS {{ table("dead_letters") }}
ENGINE = {{ distributed_engine("dead_letters", "row_id") }}
