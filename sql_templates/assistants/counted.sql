-- How many are there of a metric, by bucket and group?
-- Row:   GroupedRow; the numerator is the count.
-- Names: metric = a measure of the facts; population = the facts that it counts.
{% extends "shared/by_bucket_and_group.sql" %}
{% block numerator %}sum({{ metric }}){% endblock %}
{% block condition %}WHERE {{ population }}{% endblock %}
