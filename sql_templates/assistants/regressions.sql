-- How did baseline and candidate do: how often did they run, how often fail, and how long did it take? For each
-- assistant, and for all.
-- Row:        ArmRow; quantiles at 0.5 and 0.95, each with the values {z} standard errors of its rank below and above it
-- Parameters: {variants} baseline and candidate; {most_arms}
-- Names:      variant = the column that tells them apart; is_unit = what is compared, runs or calls
{% macro bounded_quantiles(sorted) %}
arrayMap(
        place -> {{ sorted }}[toUInt32(floor(place)) + 1]
            + ({{ sorted }}[toUInt32(ceil(place)) + 1] - {{ sorted }}[toUInt32(floor(place)) + 1]) * (place - floor(place)),
        arrayMap(
            (level, side) -> (greatest(length({{ sorted }}), 1) - 1)
                * greatest(0., least(1., level + side * {z:Float64} * sqrt(level * (1 - level) / greatest(length({{ sorted }}), 1)))),
            [0.5, 0.5, 0.5, 0.95, 0.95, 0.95],
            [-1, 0, 1, -1, 0, 1]
        )
    )
{%- endmacro %}
{% set durations %}durations{% endset %}
{% set waits %}waits{% endset %}
SELECT
    variant,
    assistant_code,
    is_all,
    units,
    failed,
    toUInt64(length(durations)) AS ended,
    {{ bounded_quantiles(durations) }} AS latency,
    toUInt64(length(waits)) AS streamed,
    {{ bounded_quantiles(waits) }} AS first_token
FROM (
    SELECT
        toString({{ variant }}) AS variant,
        toString(facts.assistant_code) AS assistant_code,
        toBool(grouping(facts.assistant_code)) AS is_all,
        toUInt64(count()) AS units,
        toUInt64(countIf(facts.is_failed)) AS failed,
        arraySort(groupArrayIf(assumeNotNull(facts.duration_ms), facts.duration_ms >= 0)) AS durations,
        arraySort(groupArrayIf(assumeNotNull(facts.time_to_first_token_ms), facts.time_to_first_token_ms >= 0)) AS waits
    {% include facts %}

    WHERE {{ is_unit }} AND has({variants:Array(String)}, toString({{ variant }}))
    GROUP BY GROUPING SETS (({{ variant }}), ({{ variant }}, facts.assistant_code))
)
ORDER BY is_all DESC, units DESC, assistant_code
LIMIT {most_arms:UInt64}
