-- In how many traces of baseline and candidate did each error happen?
-- Row:        ErrorRow
-- Parameters: {baseline}, {candidate}
-- Names:      variant = the column that tells them apart; is_unit = what is compared, runs or calls
SELECT
    if(facts.error_type = '', 'unknown', toString(facts.error_type)) AS error_type,
    toUInt64(uniqExactIf(facts.trace_id, toString({{ variant }}) = {baseline:String})) AS baseline_traces,
    toUInt64(uniqExactIf(facts.trace_id, toString({{ variant }}) = {candidate:String})) AS candidate_traces
{% include facts %}

WHERE facts.is_failed AND toString({{ variant }}) IN ({baseline:String}, {candidate:String})
GROUP BY error_type
ORDER BY candidate_traces DESC, baseline_traces DESC, error_type
LIMIT 200
