-- What broke for users, where, how often, and for how many?
-- Row: ClientError
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    toString(facts.route_pattern) AS route_pattern,
    nullIf(toString(facts.boundary), '') AS boundary,
    nullIf(toString(facts.error_class), '') AS error_class,
    sum(facts.events) AS errors,
    {% include "product/facts_users.sql" %} AS affected_users
{% include facts %}

WHERE facts.name = 'client_error'
GROUP BY facts.route_pattern, facts.boundary, facts.error_class
{% endblock %}
