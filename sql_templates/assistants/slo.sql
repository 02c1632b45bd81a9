-- How many runs did each assistant have, how many of them failed, and what did they cost?
-- Row:        ReachedRow
-- Parameters: {most_assistants}
SELECT
    toString(facts.assistant_code) AS assistant_code,
    sum(facts.runs) AS runs,
    sum(facts.failed_runs) AS failed_runs,
    sum(facts.cost_usd) AS cost_usd
{% include facts %}

WHERE facts.is_run OR facts.is_call
GROUP BY facts.assistant_code
HAVING runs > 0 OR cost_usd > 0
ORDER BY runs DESC, assistant_code
LIMIT {most_assistants:UInt64}
