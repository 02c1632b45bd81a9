-- Which share of the calls was contained, by bucket and group?
-- Row:   GroupedRow; contained calls ÷ ended calls whose outcome is told.
-- Names: is_told_twice.
{% extends "shared/by_bucket_and_group.sql" %}
{% block numerator %}sumIf(calls, outcome = 'contained'){% endblock %}
{% block denominator %}sumIf(calls, outcome != ''){% endblock %}
{% block condition %}{% if is_told_twice %}WHERE facts.measured IN ('call') AND {% include "voice_agents/facts_told_once.sql" %}{% endif %}{% endblock %}
