-- What did runs of baseline and candidate use: tokens and cost of all calls in their traces? For each assistant, and
-- for all.
-- Row:        UsedRow
-- Parameters: {variants} baseline and candidate; {most_arms}
-- Names:      variant = the column that tells them apart, of the root span
SELECT
    variant,
    toString(assistant) AS assistant_code,
    toBool(grouping(assistant)) AS is_all,
    toUInt64(count()) AS units,
    avg(cost) AS cost_mean,
    if(units > 1, varSampStable(cost), 0) AS cost_variance,
    avg(tokens) AS tokens_mean,
    if(units > 1, varSampStable(tokens), 0) AS tokens_variance
FROM (
    SELECT
        toString(anyIf({{ variant }}, facts.is_run)) AS variant,
        toString(anyIf(facts.assistant_code, facts.is_run)) AS assistant,
        toFloat64(sum(facts.cost_usd)) AS cost,
        toFloat64(sum(facts.input_tokens + facts.output_tokens)) AS tokens
    {% include facts %}

    GROUP BY reinterpretAsUInt128(unhex(facts.trace_id))
    HAVING max(facts.is_run) AND has({variants:Array(String)}, variant)
)
GROUP BY GROUPING SETS ((variant), (variant, assistant))
ORDER BY is_all DESC, units DESC, assistant_code
LIMIT {most_arms:UInt64}
