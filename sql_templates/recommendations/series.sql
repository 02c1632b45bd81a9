-- How many are there of a metric, by bucket and group?
-- Row:   GroupedRow; the numerator is the count.
-- Names: metric = a measure of the facts; group = the column that is split by.
{% extends "shared/by_bucket_and_group.sql" %}
{% block grouped %}
SELECT {{ bucket }} AS bucket, {{ group }} AS series, sum({{ metric }}) AS numerator, toUInt64(0) AS denominator
FROM (
{% include facts %}

)
GROUP BY bucket, series
HAVING numerator > 0
{%- endblock %}
