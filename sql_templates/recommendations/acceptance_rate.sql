-- Which share of the shown recommendations was accepted, by bucket and group?
-- Row:   GroupedRow; accepted ÷ shown.
-- Names: group = the column that is split by.
{% extends "shared/by_bucket_and_group.sql" %}
{% block grouped %}
SELECT {{ bucket }} AS bucket, {{ group }} AS series, sum(accepted) AS numerator, sum(shown) AS denominator
FROM (
{% include facts %}

)
GROUP BY bucket, series
HAVING numerator > 0 OR denominator > 0
{%- endblock %}
