-- Of how many calls of models is the cost known?
-- Row: CoverageRow
SELECT sum(facts.calls) AS calls, sum(facts.priced_calls) AS priced_calls
{% include facts %}

WHERE facts.is_call
