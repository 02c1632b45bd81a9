-- Which share of the turns was interrupted, by bucket and group?
-- Row:   GroupedRow; interrupted turns ÷ turns that tell whether they were.
-- Names: is_told_twice.
{% extends "shared/by_bucket_and_group.sql" %}
{% block numerator %}sum(interrupted_turns){% endblock %}
{% block denominator %}sum(telling_turns){% endblock %}
{% block condition %}{% if is_told_twice %}WHERE facts.measured IN ('turn') AND {% include "voice_agents/facts_told_once.sql" %}{% endif %}{% endblock %}
