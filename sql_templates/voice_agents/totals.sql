-- What are the totals of the range?
-- Row:   TotalsRow
-- Names: is_told_twice.
SELECT
    sum(facts.calls) AS calls,
    sumIf(facts.calls, facts.outcome = 'contained') AS contained,
    sumIf(facts.calls, facts.outcome = 'transferred') AS transferred,
    sumIf(facts.calls, facts.outcome = 'abandoned') AS abandoned,
    sumIf(facts.calls, facts.outcome != '') AS calls_with_outcome,
    sum(facts.timed_calls) AS timed_calls,
    sum(facts.call_micros) AS call_micros,
    sum(facts.turns) AS turns,
    sum(facts.telling_turns) AS telling_turns,
    sum(facts.interrupted_turns) AS interrupted_turns,
    sum(facts.answered_turns) AS answered_turns,
    sum(facts.dead_air_turns) AS dead_air_turns,
    sum(facts.dead_air_micros) AS dead_air_micros
{% include facts %}

{% if is_told_twice %}WHERE facts.measured IN ('call', 'turn', 'first_audio') AND {% include "voice_agents/facts_told_once.sql" %}{% endif %}

