-- Spans of conversations in which units were exposed, with the units and their variants. A conversation belongs to the unit
-- that was exposed in it first.
-- Parameters: {window} how long after the first exposure in its conversation a span counts, {clocks_apart} how long before
--             it, both in microseconds; those of units.sql; {keeps_multiple} 1 = units of several variants are of their first
-- Names:      conversations, spans
SELECT
    units.number AS number,
    units.unit AS unit,
    spans.conversation AS conversation,
    spans.is_run AS is_run,
    spans.duration_ms AS duration_ms,
    spans.runs AS runs,
    spans.failed_runs AS failed_runs,
    spans.tokens AS tokens,
    spans.cost_usd AS cost_usd
FROM (
    SELECT
        cityHash64(facts.conversation_id) AS conversation,
        toUnixTimestamp64Micro(facts.time) AS at,
        facts.is_run AS is_run,
        facts.duration_ms AS duration_ms,
        facts.runs AS runs,
        facts.failed_runs AS failed_runs,
        facts.input_tokens + facts.output_tokens AS tokens,
        toFloat64(facts.cost_usd) AS cost_usd
    {{ spans }}
    WHERE facts.conversation_id != '' AND (facts.is_run OR facts.is_call)
        AND cityHash64(facts.conversation_id) GLOBAL IN (SELECT facts.conversation {{ conversations }})
) AS spans
INNER JOIN (
    SELECT
        facts.conversation AS conversation,
        argMin(facts.unit, (facts.time, facts.unit)) AS unit,
        toUnixTimestamp64Micro(min(facts.time)) AS exposed_in_it_at
    {{ conversations }}
    GROUP BY facts.conversation
) AS conversations ON conversations.conversation = spans.conversation
INNER JOIN (
{% include "experiments/units.sql" %}

) AS units ON units.unit = conversations.unit
WHERE units.number > 0
    AND (NOT units.is_multiple OR {keeps_multiple:UInt64} = 1)
    AND spans.at >= exposed_in_it_at - {clocks_apart:Int64}
    AND spans.at < exposed_in_it_at + {window:Int64}
