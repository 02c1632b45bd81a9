-- How long did runs take, by bucket and group?
-- Row: QuantilesRow; milliseconds.
{% extends "shared/quantiles_by_bucket_and_group.sql" %}
{% block value %}assumeNotNull(duration_ms){% endblock %}
{% block population %}is_run AND duration_ms IS NOT NULL{% endblock %}
