-- only: cluster
-- What is written and read on a cluster: the local tables of all shards.
CREATE TABLE IF NOT EXISTS {{ distributed("assistants_tracing_spans") }} {{ on_cluster }} AS {{ table("assistants_tracing_spans") }}
ENGINE = {{ distributed_engine("assistants_tracing_spans", "trace_id") }}
