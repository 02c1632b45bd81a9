-- How are runs, or calls, of baseline and candidate spread over what may matter?
-- Row:        MixRow
-- Parameters: {baseline}, {candidate}
-- Names:      variant = the column that tells them apart; is_unit = what is compared, runs or calls
SELECT
    part.1 AS dimension,
    toUInt64(countIf(variant = {baseline:String})) AS baseline_units,
    toUInt64(countIf(variant = {candidate:String})) AS candidate_units,
    toUInt64(uniqExactIf(trace, variant = {baseline:String})) AS baseline_traces,
    toUInt64(uniqExactIf(trace, variant = {candidate:String})) AS candidate_traces
FROM (
    SELECT
        toString({{ variant }}) AS variant,
        cityHash64(facts.trace_id) AS trace,
        arrayJoin([
            ('all', ''),
            ('assistant', toString(facts.assistant_code)),
            ('environment', toString(facts.environment)),
            ('profile_code', ifNull(toString(facts.profile_code), '')),
            ('hour_of_day', leftPad(toString(toHour(facts.time)), 2, '0'))
        ]) AS part
    {% include facts %}

    WHERE {{ is_unit }} AND toString({{ variant }}) IN ({baseline:String}, {candidate:String})
)
GROUP BY part
ORDER BY dimension, baseline_units + candidate_units DESC, part
LIMIT 200 BY dimension
