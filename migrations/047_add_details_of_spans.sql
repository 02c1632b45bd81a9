-- What only the view of a trace reads, as one text: each path of a JSON column is a file of its own, and reading
-- dozens of them for a handful of spans takes longer than all other columns together.
ALTER TABLE {{ table("assistants_tracing_spans") }} {{ on_cluster }}
ADD COLUMN IF NOT EXISTS details String MATERIALIZED toJSONString(CAST((attributes, events, links, resource), 'Tuple(attributes JSON, events Array(JSON), links Array(JSON), resource JSON)')) CODEC(ZSTD(1))
