-- Notes the spans of a month whose cost changes.
-- Names: run_id, month
INSERT INTO {{ table("_price_changes") }} (run_id, month, span)
SELECT {{ run_id }}, {{ month }}, sipHash64(trace_id, span_id)
FROM {{ table("assistants_tracing_spans") }}
WHERE toYYYYMM(start_time) = {{ month }} AND
{% include "maintenance/computed_by_us.sql" %}

    AND
{% include "maintenance/is_changed.sql" %}

