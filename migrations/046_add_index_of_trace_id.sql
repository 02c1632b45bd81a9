-- A trace is opened by its id: the index leaves the few blocks of rows that may have it.
ALTER TABLE {{ table("assistants_tracing_spans") }} {{ on_cluster }}
ADD INDEX IF NOT EXISTS trace_id_index trace_id TYPE bloom_filter(0.001) GRANULARITY 1
