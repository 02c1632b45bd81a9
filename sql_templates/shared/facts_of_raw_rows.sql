-- Facts from raw rows.
FROM (
{% include raw_facts %}

) AS facts
