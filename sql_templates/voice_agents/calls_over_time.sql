-- How many calls ended, by bucket and group?
-- Row:   GroupedRow; the numerator is the count.
-- Names: is_told_twice.
{% extends "shared/by_bucket_and_group.sql" %}
{% block numerator %}sum(calls){% endblock %}
{% block condition %}{% if is_told_twice %}WHERE facts.measured IN ('call') AND {% include "voice_agents/facts_told_once.sql" %}{% endif %}{% endblock %}
