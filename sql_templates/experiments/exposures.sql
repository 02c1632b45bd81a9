-- How many units were first exposed to each variant, by bucket?
-- Row:        GroupedRow; the numerator is the count.
-- Parameters: {variants}, {from}: see units.sql; {keeps_multiple} 1 = units of several variants are of their first;
--             {edges} starts of the buckets
SELECT
    roundDown(toUInt32(intDiv(exposed_at, 1000000)), {edges:Array(UInt32)}) AS start,
    {variants:Array(String)}[number] AS series,
    toUInt8(0) AS is_rest,
    toUInt64(countIf(NOT is_multiple OR {keeps_multiple:UInt64} = 1)) AS numerator,
    toUInt64(0) AS denominator
FROM (
{% include "experiments/units.sql" %}

)
WHERE number > 0
GROUP BY start, number
