-- Facts from a rollup; from raw rows where the window begins or ends between two of its steps.
-- Names: columns = the fields and the measures that the rollup holds; rollup_time = the start of its steps; with
--        has_marks, marks = whether a fact is one of those that the filters choose, where none is left out.
FROM (
SELECT {{ rollup_time }} AS time, {{ columns }}{% if has_marks %}, ifNull({{ marks }}, false) AS is_chosen{% endif %}

FROM {{ rollup() }}
WHERE {{ base_of_rollup() }}
{% if has_ends %}
UNION ALL
SELECT toDateTime(time) AS time, {{ columns }}{% if has_marks %}, is_chosen{% endif %}

FROM (
{% include raw_facts %}

)
{% endif %}
) AS facts
