-- Which errors were there?
-- Row: SpanError
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    if(facts.error_type = '', 'unknown', toString(facts.error_type)) AS error_type,
    count() AS spans,
    uniqExact(facts.trace_id) AS traces,
    uniqExactIf(facts.conversation_id, facts.conversation_id != '') AS conversations,
    formatDateTime(min(facts.time), '%Y-%m-%dT%H:%i:%S.%fZ') AS first_seen,
    formatDateTime(max(facts.time), '%Y-%m-%dT%H:%i:%S.%fZ') AS last_seen,
    argMax(facts.trace_id, facts.time) AS newest_trace_id
{% include facts %}

WHERE facts.is_failed
GROUP BY error_type
{% endblock %}
