-- Facts about runs and calls of models, from raw spans.
SELECT * FROM (
{% include "assistants/facts_raw.sql" %}

)
WHERE is_run OR is_call
