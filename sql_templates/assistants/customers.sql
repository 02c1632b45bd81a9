-- What did each user cost?
-- Row: Customer
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(facts.user_id_hash, '') AS user_id_hash,
    sum(facts.runs) AS runs,
    uniqExactMerge(facts.conversations) AS conversations,
    sum(facts.calls) AS calls,
    sum(facts.input_tokens) AS input_tokens,
    sum(facts.output_tokens) AS output_tokens,
    sum(facts.cost_usd) AS cost_usd
{% include facts %}

GROUP BY facts.user_id_hash
{% endblock %}
