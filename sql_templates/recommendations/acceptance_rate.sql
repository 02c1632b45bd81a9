-- Which share of the shown recommendations was accepted, by bucket and group?
-- Row: GroupedRow; accepted ÷ shown.
{% extends "shared/by_bucket_and_group.sql" %}
{% block numerator %}sum(accepted){% endblock %}
{% block denominator %}sum(shown){% endblock %}
