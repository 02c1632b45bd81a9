-- only: cluster
-- What queries read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("assistant_spans_15m") }} {{ on_cluster }} AS {{ table("assistant_spans_15m") }}
ENGINE = {{ distributed_engine("assistant_spans_15m") }}
