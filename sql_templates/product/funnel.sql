-- How many units came to each step, and how long did it take them?
-- Row:        FunnelRow
-- Parameters: {window_us} within which all steps lie, from the first one on; {base_us} that no event lies before; {top}
--             groups to tell apart, or with has_kept {kept}, the very groups, so that an earlier period is told apart by
--             the same.
-- Names:      steps = each with its number, the one before, its bit and its condition; unit = a column of the facts;
--             group = the column that is split by; is_split; is_strict = whether nothing may lie between steps.
--
-- The events of a unit are put in order: by time, and at the same instant by the step that they are for. What orders them
-- is one number, since tuples take five times as long: microseconds, then four bits for the earliest step that the event
-- is for, 15 for none, then a bit for each step. For each step
-- there is then a list that is as long as the events: when the latest first step was from which that event is this
-- step, 0 where it is not. An event is a step when the one before was reached by an earlier one in that order, and the
-- first step lies within the window. No event is two steps of one way.
SELECT
    if(is_kept, group_of_unit, '') AS series,
    toUInt8(NOT is_kept) AS is_rest,
    sumForEach(came) AS units,
    [{% for step in later %}{% if not loop.first %}, {% endif %}quantilesExactInclusiveMerge(0.5, 0.9)(from_first_{{ step.number }}){% endfor %}] AS from_first,
    [{% for step in later %}{% if not loop.first %}, {% endif %}quantilesExactInclusiveMerge(0.5, 0.9)(from_previous_{{ step.number }}){% endfor %}] AS from_previous
FROM (
    SELECT
        *,
        {% if has_kept %}
        has({kept:Array(String)}, group_of_unit) AS is_kept
        {% else %}
        dense_rank() OVER (ORDER BY came[1] DESC, group_of_unit ASC) <= {top:UInt64} AS is_kept
        {% endif %}
    FROM (
        SELECT
            group_of_unit,
            {% for step in later %}
            quantilesExactInclusiveStateIf(0.5, 0.9)((times[at_{{ step.number }}] - started_{{ step.number }}[at_{{ step.number }}]) / 1000, at_{{ step.number }} > 0) AS from_first_{{ step.number }},
            quantilesExactInclusiveStateIf(0.5, 0.9)((times[at_{{ step.number }}] - times[{% if is_strict %}at_{{ step.number }} - 1{% else %}indexOf(started_{{ step.before }}, started_{{ step.number }}[at_{{ step.number }}]){% endif %}]) / 1000, at_{{ step.number }} > 0) AS from_previous_{{ step.number }},
            {% endfor %}
            [{% for step in steps %}{% if not loop.first %}, {% endif %}toUInt64(countIf(at_{{ step.number }} > 0)){% endfor %}] AS came
        FROM (
            SELECT
                arraySort(groupArray(place)) AS ordered,
                arrayMap(event -> toInt64(bitShiftRight(event, 14)) + 1, ordered) AS times,
                arrayMap(event -> toUInt16(bitAnd(event, 1023)), ordered) AS masks,
                arrayMap((at, mask) -> if(bitTest(mask, 0), at, 0), times, masks) AS started_1,
                arrayFirstIndex(start -> start > 0, started_1) AS at_1,
                {% for step in later %}
                arrayMap(
                    (at, mask, start) -> if(bitTest(mask, {{ step.bit }}) AND start > 0 AND at - start <= {window_us:Int64}, start, 0),
                    times,
                    masks,
                    arrayPushFront(arrayPopBack({% if is_strict %}started_{{ step.before }}{% else %}arrayFill(start -> start > 0, started_{{ step.before }}){% endif %}), 0)
                ) AS started_{{ step.number }},
                arrayFirstIndex(start -> start > 0, started_{{ step.number }}) AS at_{{ step.number }},
                {% endfor %}
                {% if is_split %}minIf((place, group_of_event), bitTest(place, 0)).2{% else %}''{% endif %} AS group_of_unit
            FROM (
                SELECT
                    facts.{{ unit }} AS unit,
                    {% if is_split %}
                    {{ group }} AS group_of_event,
                    {% endif %}
                    {% for step in steps %}
                    ifNull({{ step.condition }}, false) AS step_{{ step.number }},
                    {% endfor %}
                    toUInt64(multiIf({% for step in steps %}step_{{ step.number }}, {{ step.number }}, {% endfor %}15)) AS earliest_step,
                    toUInt64({% for step in steps %}{% if not loop.first %} + {% endif %}bitShiftLeft(toUInt16(step_{{ step.number }}), {{ step.bit }}){% endfor %}) AS steps_of_event,
                    bitShiftLeft(toUInt64(toUnixTimestamp64Micro(facts.time) - {base_us:Int64}), 14) + bitShiftLeft(earliest_step, 10) + steps_of_event AS place
                {% include facts %}

                {% if not is_strict %}WHERE {% for step in steps %}{% if not loop.first %} OR {% endif %}{{ step.condition }}{% endfor %}{% endif %}

            )
            GROUP BY unit
        )
        WHERE at_1 > 0
        GROUP BY group_of_unit
    )
)
GROUP BY series, is_rest
