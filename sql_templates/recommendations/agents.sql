-- What did each agent send and accept?
-- Row: Agent
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    assumeNotNull(facts.agent_id) AS agent_id,
    argMaxMerge(facts.agent_name_state) AS agent_name,
    sum(facts.messages) AS messages,
    sum(facts.assisted_messages) AS assisted_messages,
    sum(facts.assisted_characters) AS assisted_share_numerator,
    sum(facts.sent_characters) AS assisted_share_denominator,
    if(assisted_share_denominator > 0, assisted_share_numerator / assisted_share_denominator, NULL) AS assisted_share,
    sum(facts.shown) AS shown,
    sum(facts.accepted) AS accepted,
    accepted AS acceptance_rate_numerator,
    shown AS acceptance_rate_denominator,
    if(shown > 0, accepted / shown, NULL) AS acceptance_rate,
    assisted_share_numerator AS characters_saved
{% include facts %}

WHERE facts.agent_id IS NOT NULL
GROUP BY facts.agent_id
{% endblock %}
