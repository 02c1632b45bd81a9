-- Which experiments are there, and how did units come to their variants?
-- Row:        ListedExperiment
-- Parameters: {from}, {to} the range in which units are first exposed, in microseconds; {still} seconds for which an
--             experiment runs on after its newest exposure; {most_variants} variants that are named
--
-- A unit is in the variant of its first exposure, and in several when it was exposed to them before the end of the range:
-- also when that was at the same instant, so that it does not matter which of these is the first. Variants are compared
-- by their hashes, which takes about half of the time.
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    experiments.experiment_id AS experiment_id,
    arraySum(counts) AS units,
    exposures,
    multiple_units,
    formatDateTime(first_time, '%Y-%m-%dT%H:%i:%S.%fZ') AS first_exposure,
    formatDateTime(newest_time, '%Y-%m-%dT%H:%i:%S.%fZ') AS newest_exposure,
    newest_time > now64(6, 'UTC') - toIntervalSecond({still:Int64}) AS is_running,
    arrayMap(name -> (name, arraySum((known, count) -> if(known = name, count, 0), counted_variants, counts)), names) AS variants,
    arrayMap(variant -> variant.2, variants) AS srm
FROM (
    SELECT
        toString(facts.experiment_id) AS experiment_id,
        arraySlice(arraySort(groupUniqArray(toString(facts.variant))), 1, {most_variants:UInt64}) AS names,
        min(facts.time) AS first_time,
        max(facts.last_time) AS newest_time
    {% include facts %}

    GROUP BY facts.experiment_id
) AS experiments
INNER JOIN (
    SELECT
        experiment_id,
        groupArray(variant) AS counted_variants,
        groupArray(units) AS counts,
        sum(multiple) AS multiple_units,
        sum(exposures) AS exposures
    FROM (
        SELECT
            experiment_id,
            toString(first) AS variant,
            countIf(NOT is_multiple) AS units,
            countIf(is_multiple) AS multiple,
            sum(exposures) AS exposures
        FROM (
            SELECT
                toString(facts.experiment_id) AS experiment_id,
                facts.unit AS unit,
                toUnixTimestamp64Micro(min(facts.time)) AS exposed_at,
                argMin(facts.variant, facts.time) AS first,
                minIf(cityHash64(facts.variant), toUnixTimestamp64Micro(facts.time) < {to:Int64})
                    != maxIf(cityHash64(facts.variant), toUnixTimestamp64Micro(facts.time) < {to:Int64}) AS is_multiple,
                sum(facts.exposures) AS exposures
            {% include facts %}

            WHERE facts.unit != 0
            GROUP BY facts.experiment_id, facts.unit
            HAVING exposed_at >= {from:Int64} AND exposed_at < {to:Int64}{% if has_marks %} AND min((facts.time, facts.variant, NOT facts.is_chosen)).3 = 0{% endif %}

        )
        GROUP BY experiment_id, variant
    )
    GROUP BY experiment_id
) AS units ON units.experiment_id = experiments.experiment_id
{% endblock %}
