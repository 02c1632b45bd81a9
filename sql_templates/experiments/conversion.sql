-- How many units were exposed to each variant, and how many did it, by bucket?
-- Row:        GroupedRow; the numerator is units by the time at which they first did it, the denominator units by that of
--             their first exposure
-- Parameters: {variants}, {from}: see units.sql; {window} how long after its first exposure what a unit does counts, in
--             microseconds; {keeps_multiple} 1 = units of several variants are of their first; {edges} starts of the buckets
-- Names:      goals
SELECT
    roundDown(toUInt32(intDiv(step.1, 1000000)), {edges:Array(UInt32)}) AS start,
    {variants:Array(String)}[number] AS series,
    toUInt8(0) AS is_rest,
    toUInt64(sum(step.2)) AS numerator,
    toUInt64(sum(step.3)) AS denominator
FROM (
    SELECT
        number,
        arrayFilter(at -> at >= exposed_at AND at < exposed_at + {window:Int64}, goals.times) AS done,
        arrayJoin(if(
            empty(done),
            [(exposed_at, 0, 1)],
            [(exposed_at, 0, 1), (arrayMin(done), 1, 0)]
        )) AS step
    FROM (
{% include "experiments/units.sql" %}

    ) AS units
    LEFT ANY JOIN (
        SELECT facts.unit AS unit, groupArray(facts.at) AS times
        {{ goals }}
        WHERE facts.unit != 0
        GROUP BY facts.unit
    ) AS goals ON goals.unit = units.unit
    WHERE number > 0 AND (NOT is_multiple OR {keeps_multiple:UInt64} = 1)
)
GROUP BY start, number
