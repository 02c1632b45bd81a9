-- What did the units of each variant do?
-- Row:        ArmRow
-- Parameters: {variants}, {from}: see units.sql; {window} how long after its first exposure what a unit does counts, and
--             {before} how long before it what it did is looked at, both in microseconds; {keeps_multiple} 1 = units
--             of several variants are of their first
-- Names:      goals, and with has_denominators denominators; kind = conversion, sum, or events = all in the range;
--             has_before = whether x is asked for
{# Of a conversion the sum says all. #}
{% set has_moments = kind != "conversion" or has_before %}
SELECT
    {variants:Array(String)}[number] AS variant,
    toUInt64(countIf(is_counted)) AS units,
    toUInt64(countIf(is_multiple)) AS multiple_units,
    sumIf(y, is_counted) AS y_sum,
    {% if has_moments %}
    if(units > 1, varSampStableIf(y, is_counted), 0) AS y_variance,
    {% else %}
    0. AS y_variance,
    {% endif %}
    {% if has_denominators or kind == "events" %}
    sumIf(d, is_counted) AS d_sum,
    if(units > 1, varSampStableIf(d, is_counted), 0) AS d_variance,
    if(units > 1, covarSampStableIf(y, d, is_counted), 0) AS yd_covariance,
    {% else %}
    0. AS d_sum,
    0. AS d_variance,
    0. AS yd_covariance,
    {% endif %}
    {% if has_before %}
    sumIf(x, is_counted) AS x_sum,
    if(units > 1, varSampStableIf(x, is_counted), 0) AS x_variance,
    if(units > 1, covarSampStableIf(y, x, is_counted), 0) AS yx_covariance,
    toUInt64(countIf(is_counted AND NOT has_before)) AS units_without_before,
    {% else %}
    0. AS x_sum,
    0. AS x_variance,
    0. AS yx_covariance,
    units AS units_without_before,
    {% endif %}
    assumeNotNull((
        SELECT count() > 0
        FROM (
            SELECT 1
            {{ goals }}
            LIMIT 1
        )
    )) AS has_goal_events
FROM (
    SELECT
        {% if kind == "events" %}
        arraySum(goals.amounts) AS y,
        toFloat64(exposures) AS d,
        {% elif kind == "conversion" %}
        toFloat64(arrayExists(at -> at >= exposed_at AND at < exposed_at + {window:Int64}, goals.times)) AS y,
        {% else %}
        arraySum(
            (at, amount) -> if(at >= exposed_at AND at < exposed_at + {window:Int64}, amount, 0), goals.times, goals.amounts
        ) AS y,
        {% endif %}
        {% if has_denominators %}
        toFloat64(arrayCount(at -> at >= exposed_at AND at < exposed_at + {window:Int64}, denominators.times)) AS d,
        {% endif %}
        {% if has_before %}
        arrayExists(at -> at >= exposed_at - {before:Int64} AND at < exposed_at, goals.times) AS has_before,
        {% if kind == "conversion" %}
        toFloat64(has_before) AS x,
        {% else %}
        arraySum(
            (at, amount) -> if(at >= exposed_at - {before:Int64} AND at < exposed_at, amount, 0), goals.times, goals.amounts
        ) AS x,
        {% endif %}
        {% endif %}
        number,
        is_multiple,
        NOT is_multiple OR {keeps_multiple:UInt64} = 1 AS is_counted
    FROM (
{% include "experiments/units.sql" %}

    ) AS units
    LEFT ANY JOIN (
        SELECT facts.unit AS unit, groupArray(facts.at) AS times{% if kind != "conversion" %}, groupArray(ifNull(facts.value, 0)) AS amounts{% endif %}

        {{ goals }}
        WHERE facts.unit != 0
        GROUP BY facts.unit
    ) AS goals ON goals.unit = units.unit
    {% if has_denominators %}
    LEFT ANY JOIN (
        SELECT facts.unit AS unit, groupArray(facts.at) AS times
        {{ denominators }}
        WHERE facts.unit != 0
        GROUP BY facts.unit
    ) AS denominators ON denominators.unit = units.unit
    {% endif %}
)
WHERE number > 0
GROUP BY number
ORDER BY number
LIMIT 256
