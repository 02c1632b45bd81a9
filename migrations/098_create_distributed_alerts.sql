-- only: cluster
-- What is written and read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("_alerts") }} {{ on_cluster }} AS {{ table("_alerts") }}
ENGINE = {{ distributed_engine("_alerts", "id") }}
