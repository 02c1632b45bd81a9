-- What did calls of models cost, by bucket and group?
-- Row: GroupedRow; the numerator is billionths of a US dollar.
{% extends "shared/by_bucket_and_group.sql" %}
{% block numerator %}toUInt64(sum(cost_usd) * 1000000000){% endblock %}
