-- only: cluster
-- What is written and read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("_account_settings") }} {{ on_cluster }} AS {{ table("_account_settings") }}
ENGINE = {{ distributed_engine("_account_settings", "name") }}
