-- What did calls of models cost, by bucket and group?
-- Row: GroupedRow; the numerator is billionths of a US dollar, up to the most that it can hold.
{% extends "shared/by_bucket_and_group.sql" %}
{% block numerator %}toUInt64(least(sum(cost_usd), 18446744073) * 1000000000){% endblock %}
{% block condition %}WHERE is_call{% endblock %}
