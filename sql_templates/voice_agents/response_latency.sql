-- How long did callers wait, and for what, by bucket and group?
-- Row:   QuantilesRow; milliseconds.
-- Names: measured = what was waited for, one or several; is_told_twice.
{% extends "shared/latencies.sql" %}
{% block population %}measured IN ({{ measured }}){% if is_told_twice %} AND {% include "voice_agents/facts_told_once.sql" %}{% endif %}{% endblock %}
