-- How many characters of sent messages came from suggestions, by bucket and source category?
-- Row: GroupedRow; the numerator is the number of characters, the group the source.
{% extends "shared/by_bucket_and_group.sql" %}
{% block numerator %}sum(assisted_characters){% endblock %}
