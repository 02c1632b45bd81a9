-- When, on which platforms and under which profiles were the units of each variant first exposed?
-- Row:        HealthRow
-- Parameters: {variants}; {from}, {to} the range in which units are first exposed, and {middle} where its second half
--             begins, all in microseconds; {keeps_multiple} 1 = units of several variants are of their first; {edges}
--             starts of days; {top} platforms and profiles that are told apart, the rest being one more; {most_rows}
--
-- Units are as in units.sql, with the platform and the profile of their first exposure. They are in several variants
-- when they were exposed to them before the end of the range. Their exposures are all those so far: a rollup's cannot be
-- cut off there.
SELECT
    dimension,
    toUInt8(is_rest) AS is_rest,
    if(is_rest, '', value) AS value,
    is_later,
    {variants:Array(String)}[number] AS variant,
    sum(counted) AS units,
    sum(multiple) AS multiple_units,
    sumForEach(of_others) AS others,
    sum(of_exposures) AS exposures,
    sum(of_late) AS late_exposures
FROM (
    SELECT *, dimension != 'day' AND dense_rank() OVER (PARTITION BY dimension ORDER BY size DESC, value ASC) > {top:UInt64} AS is_rest
    FROM (
        SELECT *, sum(counted) OVER (PARTITION BY dimension, value) AS size
        FROM (
            SELECT
                place.1 AS dimension,
                place.2 AS value,
                place.3 AS is_later,
                number,
                sum(of_units) AS counted,
                sum(of_multiple) AS multiple,
                sumForEach(also) AS of_others,
                sum(unit_exposures) AS of_exposures,
                sum(unit_late) AS of_late
            FROM (
                SELECT
                    roundDown(toUInt32(intDiv(first.1, 256000000)), {edges:Array(UInt32)}) AS day,
                    toUInt8(intDiv(first.1, 256) >= {middle:Int64}) AS half,
                    first.2 AS platform,
                    first.3 AS profile_code,
                    first.1 % 256 AS number,
                    countIf(bitCount(seen) = 1 OR {keeps_multiple:UInt64} = 1) AS of_units,
                    countIf(bitCount(seen) > 1) AS of_multiple,
                    sumForEach(if(
                        bitCount(seen) > 1,
                        arrayMap(
                            other -> toUInt64(bitAnd(bitShiftRight(seen, other - 1), 1) = 1 AND other != number),
                            range(1, length({variants:Array(String)}) + 1)
                        ),
                        []
                    )) AS also,
                    sum(exposures_of_unit) AS unit_exposures,
                    sum(late_of_unit) AS unit_late
                FROM (
                    SELECT
                        min((at * 256 + arm, platform, profile_code)) AS first,
                        groupBitOr(if(at < {to:Int64}, bitShiftLeft(toUInt64(1), arm - 1), 0)) AS seen,
                        sum(exposures) AS exposures_of_unit,
                        sum(late_exposures) AS late_of_unit
                    FROM (
                        SELECT
                            facts.unit AS unit,
                            toInt64(toUnixTimestamp64Micro(facts.time)) AS at,
                            {% include "experiments/facts_variant_number.sql" %} AS arm,
                            ifNull(toString(facts.platform), '') AS platform,
                            ifNull(toString(facts.profile_code), '') AS profile_code,
                            facts.exposures AS exposures,
                            facts.late_exposures AS late_exposures{% if has_marks %},
                            facts.is_chosen AS is_chosen{% endif %}

                        {% include facts %}

                        WHERE facts.unit != 0
                    )
                    WHERE arm > 0
                    GROUP BY unit
                    HAVING intDiv(first.1, 256) >= {from:Int64} AND intDiv(first.1, 256) < {to:Int64}{% if has_marks %} AND min((at * 256 + arm) * 2 + NOT is_chosen) % 2 = 0{% endif %}

                )
                GROUP BY day, half, platform, profile_code, number
            )
            ARRAY JOIN [('day', toString(day), toUInt8(0)), ('platform', platform, half), ('profile_code', profile_code, half)] AS place
            GROUP BY dimension, value, is_later, number
        )
    )
)
GROUP BY dimension, is_rest, value, is_later, number
ORDER BY dimension, is_rest, value, is_later, number
LIMIT {most_rows:UInt64}
