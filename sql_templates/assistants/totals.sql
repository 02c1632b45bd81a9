-- What are the totals of the range?
-- Row: TotalsRow
SELECT
    sum(facts.runs) AS runs,
    sum(facts.failed_runs) AS failed_runs,
    sum(facts.endless_runs) AS endless_runs,
    sum(facts.calls) AS calls,
    sumIf(facts.calls, facts.model = '') AS calls_without_model,
    sum(facts.priced_calls) AS priced_calls,
    sum(facts.tool_calls) AS tool_calls,
    sum(facts.failed_tool_calls) AS failed_tool_calls,
    sum(facts.input_tokens) AS input_tokens,
    sum(facts.output_tokens) AS output_tokens,
    sum(facts.cost_usd) AS cost_usd,
    toUInt64(uniqExactMerge(facts.conversations)) AS conversations
{% include facts %}
