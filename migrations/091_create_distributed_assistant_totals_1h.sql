-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("assistant_totals_1h") }} {{ on_cluster }} AS {{ table("assistant_totals_1h") }}
ENGINE = {{ distributed_engine("assistant_totals_1h") }}
