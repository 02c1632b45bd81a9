-- How many runs of each assistant were fast enough?
-- Row:        FastRow
-- Parameters: {codes} and {thresholds} of the assistants that have one of their own, {threshold} of all others;
--             {most_assistants}
SELECT
    toString(facts.assistant_code) AS assistant_code,
    toUInt64(count()) AS ended_runs,
    toUInt64(countIf(facts.milliseconds <= if(
        has({codes:Array(String)}, assistant_code),
        {thresholds:Array(Float64)}[indexOf({codes:Array(String)}, assistant_code)],
        {threshold:Float64}
    ))) AS fast_runs
{% include facts %}

WHERE measured = 'run'
GROUP BY facts.assistant_code
ORDER BY ended_runs DESC, assistant_code
LIMIT {most_assistants:UInt64}
