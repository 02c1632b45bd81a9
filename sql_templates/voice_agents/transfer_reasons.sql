-- Why were calls transferred?
-- Row:   TransferReason
-- Names: is_told_twice.
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(facts.transfer_reason), '') AS transfer_reason,
    sum(facts.calls) AS calls,
    calls / share_denominator AS share,
    calls AS share_numerator,
    toUInt64(sum(sum(facts.calls)) OVER ()) AS share_denominator,
    if(sum(facts.timed_calls) > 0, sum(facts.call_micros) / sum(facts.timed_calls) / 1000, NULL) AS duration_mean_ms
{% include facts %}

WHERE facts.outcome = 'transferred'{% if is_told_twice %} AND facts.measured = 'call' AND {% include "voice_agents/facts_told_once.sql" %}{% endif %}

GROUP BY facts.transfer_reason
HAVING calls > 0
{% endblock %}
