-- What was done with charts, how often, and by how many?
-- Row: ChartInteraction
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(facts.chart), '') AS chart,
    nullIf(toString(facts.action), '') AS action,
    nullIf(toString(facts.surface), '') AS surface,
    sum(facts.events) AS interactions,
    {% include "product/facts_users.sql" %} AS users
{% include facts %}

WHERE facts.name = 'chart_interacted'
GROUP BY facts.chart, facts.action, facts.surface
{% endblock %}
