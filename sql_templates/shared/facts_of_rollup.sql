-- Facts from a rollup; from raw rows where the window begins or ends between two of its steps.
-- Names: columns = the fields and the measures that the rollup holds.
FROM (
SELECT bucket AS time, {{ columns }}
FROM {{ rollup() }}
WHERE {{ base_of_rollup("bucket") }}
{% if has_ends %}
UNION ALL
SELECT toDateTime(time) AS time, {{ columns }}
FROM (
{% include raw_facts %}

)
{% endif %}
) AS facts
