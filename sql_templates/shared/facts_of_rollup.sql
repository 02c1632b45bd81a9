-- Facts from a rollup; from raw rows where the window begins or ends between two of its steps.
-- Names: columns = the fields and the measures that the rollup holds; rollup_time = the start of its steps.
FROM (
SELECT {{ rollup_time }} AS time, {{ columns }}
FROM {{ rollup() }}
WHERE {{ base_of_rollup() }}
{% if has_ends %}
UNION ALL
SELECT toDateTime(time) AS time, {{ columns }}
FROM (
{% include raw_facts %}

)
{% endif %}
) AS facts
