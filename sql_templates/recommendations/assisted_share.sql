-- Which share of the sent characters came from suggestions, by bucket and group?
-- Row:   GroupedRow; assisted ÷ sent characters of messages with a profile code.
-- Names: group = the column that is split by.
{% extends "shared/by_bucket_and_group.sql" %}
{% block grouped %}
SELECT {{ bucket }} AS bucket, {{ group }} AS series, sum(assisted_characters) AS numerator, sum(sent_characters) AS denominator
FROM (
{% include facts %}

)
GROUP BY bucket, series
HAVING numerator > 0 OR denominator > 0
{%- endblock %}
