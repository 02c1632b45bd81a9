-- Which features were viewed, how often, and by how many?
-- Row: Feature
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(facts.feature), '') AS feature,
    sum(facts.events) AS views,
    {% include "product/facts_users.sql" %} AS users,
    views / users AS views_per_user
{% include facts %}

WHERE facts.name = 'feature_viewed'
GROUP BY facts.feature
{% endblock %}
