-- Which calls were there, and how did their turns go?
-- Row:   Call
-- Names: tellers = whose turns count; is_told_twice.
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    formatDateTime(facts.time, '%Y-%m-%dT%H:%i:%S.%fZ') AS time,
    facts.id AS call_id,
    nullIf(facts.conversation_id, '') AS conversation_id,
    nullIf(facts.trace_id, '') AS trace_id,
    toString(facts.told_by) AS told_by,
    CAST(facts.profile_code, 'Nullable(String)') AS profile_code,
    CAST(facts.platform, 'Nullable(String)') AS platform,
    nullIf(toString(facts.assistant_code), '') AS assistant_code,
    nullIf(toString(facts.assistant_version), '') AS assistant_version,
    nullIf(toString(facts.environment), '') AS environment,
    nullIf(toString(facts.direction), '') AS direction,
    nullIf(toString(facts.outcome), '') AS outcome,
    nullIf(toString(facts.transfer_reason), '') AS transfer_reason,
    if(facts.timed_calls > 0, facts.call_micros / 1000, NULL) AS duration_ms,
    heard.turns AS turns,
    heard.interrupted_turns AS interrupted_turns,
    if(heard.answered_turns > 0, heard.waits[1], NULL) AS first_audio_p50_ms,
    if(heard.answered_turns > 0, heard.waits[2], NULL) AS first_audio_p95_ms,
    heard.dead_air_turns AS dead_air_turns,
    heard.dead_air_micros / 1000 AS dead_air_ms
{% include facts %}

GLOBAL LEFT JOIN (
    -- Where events and spans tell of the turns of a conversation, those that events tell of: they come first.
    SELECT
        conversation,
        sum(turns) AS turns,
        sum(interrupted_turns) AS interrupted_turns,
        sum(answered_turns) AS answered_turns,
        quantilesExactInclusiveIf(0.5, 0.95)(milliseconds, measured = 'first_audio') AS waits,
        sum(dead_air_turns) AS dead_air_turns,
        sum(dead_air_micros) AS dead_air_micros
    FROM {{ table("voice_facts") }}
    WHERE measured IN ('turn', 'first_audio') AND conversation != 0 AND told_by IN ({{ tellers }}) AND {{ around("time") }}
    GROUP BY conversation, told_by
    ORDER BY told_by
    LIMIT 1 BY conversation
) AS heard ON heard.conversation = facts.conversation
WHERE facts.calls > 0{% if is_told_twice %} AND {% include "voice_agents/facts_told_once.sql" %}{% endif %}

{% endblock %}
