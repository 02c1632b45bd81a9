-- only: cluster
-- By this costs that are computed again reach the rollups of a cluster: the same rows go to the same shard.
CREATE TABLE IF NOT EXISTS {{ distributed("assistant_span_facts") }} {{ on_cluster }} AS {{ table("assistant_span_facts") }}
ENGINE = {{ distributed_engine("assistant_span_facts", "time") }}
