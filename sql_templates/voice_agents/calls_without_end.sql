-- Of how many conversations are there turns, or the beginning, and no end?
-- Row:   ConversationsRow
-- Names: tellers = whose ends count; is_told_twice.
SELECT toUInt64(uniqExact(facts.conversation)) AS conversations
{% include facts %}

WHERE facts.measured IN ('call', 'turn') AND facts.calls = 0 AND facts.conversation != 0
    AND facts.conversation GLOBAL NOT IN (
        SELECT conversation
        FROM {{ table("voice_facts") }}
        WHERE measured = 'call' AND calls > 0 AND told_by IN ({{ tellers }}) AND {{ around("time") }}
    )
    {% if is_told_twice %}AND {% include "voice_agents/facts_told_once.sql" %}{% endif %}

