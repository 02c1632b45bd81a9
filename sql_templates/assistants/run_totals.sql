-- What did each of these runs do?
-- Row:        RunTotalsRow
-- Parameters: {trace_ids}
SELECT
    facts.trace_id AS trace_id,
    sum(facts.spans) AS spans,
    countIf(facts.is_failed) AS failed_spans,
    sum(facts.calls) AS calls,
    sum(facts.tool_calls) AS tool_calls,
    arraySort(groupUniqArrayIf(20)(toString(facts.model), facts.is_call AND facts.model != '')) AS models,
    sum(facts.input_tokens) AS input_tokens,
    sum(facts.output_tokens) AS output_tokens,
    if(sum(facts.priced_calls) = 0 AND sum(facts.calls) > 0, NULL, sum(facts.cost_usd)) AS cost_usd
{% include facts %}

WHERE facts.trace_id IN {trace_ids:Array(String)}
GROUP BY facts.trace_id
