-- How many characters of sent messages came from suggestions, by bucket and source category?
-- Row: GroupedRow; the numerator is the number of characters.
{% extends "shared/by_bucket_and_group.sql" %}
{% block grouped %}
SELECT {{ bucket }} AS bucket, source AS series, sum(assisted_characters) AS numerator, toUInt64(0) AS denominator
FROM (
{% include facts %}

)
GROUP BY bucket, series
HAVING numerator > 0
{%- endblock %}
