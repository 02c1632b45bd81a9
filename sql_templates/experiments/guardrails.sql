-- What did units of each variant use, and how often did it fail or take long? Four metrics, each a sum over a sum:
-- 0 failed runs ÷ runs, 1 slow runs ÷ runs whose end is known, 2 tokens ÷ conversations, 3 cost ÷ conversations.
-- Row:        GuardrailRow
-- Parameters: {variants}, {from}, {window}, {clocks_apart}, {keeps_multiple}: see facts_exposed_spans.sql; {slow_from}
--             runs that take longer, in milliseconds, are slow
-- Names:      conversations, spans
SELECT
    {variants:Array(String)}[number] AS variant,
    metric,
    toUInt64(count()) AS units,
    sum(y) AS y_sum,
    if(units > 1, varSampStable(y), 0) AS y_variance,
    sum(d) AS d_sum,
    if(units > 1, varSampStable(d), 0) AS d_variance,
    if(units > 1, covarSampStable(y, d), 0) AS yd_covariance
FROM (
    SELECT
        number,
        unit,
        arrayJoin([
            (toUInt8(0), toFloat64(sum(failed_runs)), toFloat64(sum(runs))),
            (toUInt8(1), toFloat64(countIf(is_run AND duration_ms > {slow_from:Float64})), toFloat64(countIf(is_run AND duration_ms >= 0))),
            (toUInt8(2), toFloat64(sum(tokens)), toFloat64(uniqExact(conversation))),
            (toUInt8(3), sum(cost_usd), toFloat64(uniqExact(conversation)))
        ]) AS of_metric,
        of_metric.1 AS metric,
        of_metric.2 AS y,
        of_metric.3 AS d
    FROM (
{% include "experiments/facts_exposed_spans.sql" %}

    )
    GROUP BY number, unit
)
GROUP BY number, metric
ORDER BY number, metric
LIMIT 1024
