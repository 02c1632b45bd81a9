-- Units with the variant and the time of their first exposure. Both are in one number, so that the first of them is
-- found by comparing numbers; exposures at the same time count in the order of the variants. Filters choose units by
-- their first exposure: of several at once that fulfil them it is one.
-- Parameters: {variants}; {from} the start of the range, in microseconds: who was exposed before does not belong to it
SELECT
    unit,
    bitShiftRight(min(first), 8) AS exposed_at,
    bitAnd(min(first), 255) AS number,
    min(variant) != max(variant) AS is_multiple,
    count() AS exposures
FROM (
    SELECT
        facts.unit AS unit,
        {% include "experiments/facts_variant_number.sql" %} AS variant,
        toInt64(toUnixTimestamp64Micro(facts.time)) * 256 + variant AS first{% if has_marks %},
        facts.is_chosen AS is_chosen{% endif %}

    {% include facts %}

    WHERE facts.unit != 0
)
GROUP BY unit
HAVING exposed_at >= {from:Int64}{% if has_marks %} AND min(first * 2 + NOT is_chosen) % 2 = 0{% endif %}
