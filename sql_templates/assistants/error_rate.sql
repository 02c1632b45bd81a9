-- Which share of the runs failed, by bucket and group?
-- Row: GroupedRow; failed runs ÷ runs.
{% extends "shared/by_bucket_and_group.sql" %}
{% block numerator %}sum(failed_runs){% endblock %}
{% block denominator %}sum(runs){% endblock %}
{% block condition %}WHERE is_run{% endblock %}
