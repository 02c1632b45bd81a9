-- Which share of the sent characters came from suggestions, by bucket and group?
-- Row: GroupedRow; assisted ÷ sent characters of messages with a profile code.
{% extends "shared/by_bucket_and_group.sql" %}
{% block numerator %}sum(assisted_characters){% endblock %}
{% block denominator %}sum(sent_characters){% endblock %}
