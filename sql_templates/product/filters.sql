-- Which filters were changed, how often, by how many, and to how many values?
-- Row: Filter
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(facts.view), '') AS view,
    nullIf(toString(facts.filter_key), '') AS filter_key,
    sum(facts.events) AS changes,
    {% include "product/facts_users.sql" %} AS users,
    if(sum(facts.valued_changes) > 0, sum(facts.values_selected) / sum(facts.valued_changes), NULL) AS value_count_mean
{% include facts %}

WHERE facts.name = 'filter_changed'
GROUP BY facts.view, facts.filter_key
{% endblock %}
