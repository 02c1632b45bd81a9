-- Which routes were viewed, how often, and by how many?
-- Row: Route
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    toString(facts.route_pattern) AS route_pattern,
    sum(facts.events) AS views,
    {% include "product/facts_users.sql" %} AS users,
    views / users AS views_per_user
{% include facts %}

WHERE facts.name = 'page_viewed'
GROUP BY facts.route_pattern
{% endblock %}
