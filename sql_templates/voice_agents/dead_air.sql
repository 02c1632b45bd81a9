-- How much dead air was there, by bucket and group?
-- Row:   GroupedRow; turns with dead air ÷ turns that tell their wait, or dead air ÷ the time of calls.
-- Names: dead_air and of_what = measures of the facts; is_told_twice.
{% extends "shared/by_bucket_and_group.sql" %}
{% block numerator %}sum({{ dead_air }}){% endblock %}
{% block denominator %}sum({{ of_what }}){% endblock %}
{% block condition %}{% if is_told_twice %}WHERE facts.measured IN ('first_audio', 'call') AND {% include "voice_agents/facts_told_once.sql" %}{% endif %}{% endblock %}
