-- How long did callers of models wait for the first token, by bucket and group?
-- Row: QuantilesRow; milliseconds.
{% extends "shared/quantiles_by_bucket_and_group.sql" %}
{% block value %}assumeNotNull(time_to_first_token_ms){% endblock %}
{% block population %}is_call AND time_to_first_token_ms IS NOT NULL{% endblock %}
