-- only: cluster
-- The same in what queries read.
ALTER TABLE {{ distributed("assistants_tracing_spans") }} {{ on_cluster }}
ADD COLUMN IF NOT EXISTS details String MATERIALIZED toJSONString(CAST((attributes, events, links, resource), 'Tuple(attributes JSON, events Array(JSON), links Array(JSON), resource JSON)'))
