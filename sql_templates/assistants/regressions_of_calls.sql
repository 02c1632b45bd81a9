-- What did calls of baseline and candidate use: tokens and cost? For each assistant, and for all.
-- Row:        UsedRow; of calls whose cost is known
-- Parameters: {variants} baseline and candidate; {most_arms}
-- Names:      variant = the column that tells them apart
SELECT
    toString({{ variant }}) AS variant,
    toString(facts.assistant_code) AS assistant_code,
    toBool(grouping(facts.assistant_code)) AS is_all,
    toUInt64(count()) AS units,
    avg(toFloat64(facts.cost_usd)) AS cost_mean,
    if(units > 1, varSampStable(toFloat64(facts.cost_usd)), 0) AS cost_variance,
    avg(facts.input_tokens + facts.output_tokens) AS tokens_mean,
    if(units > 1, varSampStable(facts.input_tokens + facts.output_tokens), 0) AS tokens_variance
{% include facts %}

WHERE facts.is_call AND facts.priced_calls > 0 AND has({variants:Array(String)}, toString({{ variant }}))
GROUP BY GROUPING SETS (({{ variant }}), ({{ variant }}, facts.assistant_code))
ORDER BY is_all DESC, units DESC, assistant_code
LIMIT {most_arms:UInt64}
