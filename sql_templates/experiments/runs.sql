-- How many units came to each variant, and how long did their runs take?
-- Row:        RunsRow; the 95th percentile with the values {z} standard errors of its rank below and above it
-- Parameters: {variants}, {from}, {window}, {clocks_apart}, {keeps_multiple}: see facts_exposed_spans.sql; {z}
-- Names:      conversations, spans
SELECT
    {variants:Array(String)}[of_units.number] AS variant,
    units,
    multiple_units,
    toUInt64(length(durations)) AS ended_runs,
    arrayMap(
        place -> durations[toUInt32(floor(place)) + 1]
            + (durations[toUInt32(ceil(place)) + 1] - durations[toUInt32(floor(place)) + 1]) * (place - floor(place)),
        arrayMap(
            side -> (greatest(length(durations), 1) - 1)
                * greatest(0., least(1., 0.95 + side * {z:Float64} * sqrt(0.95 * 0.05 / greatest(length(durations), 1)))),
            [-1, 0, 1]
        )
    ) AS p95_ms
FROM (
    SELECT
        number,
        toUInt64(countIf(NOT is_multiple OR {keeps_multiple:UInt64} = 1)) AS units,
        toUInt64(countIf(is_multiple)) AS multiple_units
    FROM (
{% include "experiments/units.sql" %}

    )
    WHERE number > 0
    GROUP BY number
) AS of_units
LEFT ANY JOIN (
    SELECT number, arraySort(groupArrayIf(assumeNotNull(duration_ms), is_run AND duration_ms >= 0)) AS durations
    FROM (
{% include "experiments/facts_exposed_spans.sql" %}

    )
    GROUP BY number
) AS runs ON runs.number = of_units.number
ORDER BY of_units.number
LIMIT 256
