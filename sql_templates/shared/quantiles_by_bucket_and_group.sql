-- The frame of every chart of quantiles: those of a value by bucket and group, exact.
--
-- Row:        QuantilesRow { start, series, is_rest, size, quantiles }
-- Blocks:     `value`, whose quantiles are wanted; `population`, the facts that have one.
-- Parameters: {edges} starts of the buckets; {most_rows} rows that are wanted at the most.
--             With is_ranked: {top} groups to tell apart, or with has_kept {kept}, the very groups, so that an
--             earlier period is told apart by the same.
-- Names:      group = the column that is split by; is_ranked; has_kept; levels = those of the quantiles.
{% if is_ranked %}
SELECT
    start,
    if(is_kept, series, '') AS series,
    toUInt8(NOT is_kept) AS is_rest,
    toUInt64(sum(values)) AS size,
    quantilesExactInclusiveMerge({{ levels }})(state) AS quantiles
FROM (
    SELECT
        start,
        series,
        values,
        state,
        {% if has_kept %}
        has({kept:Array(String)}, series) AS is_kept
        {% else %}
        dense_rank() OVER (ORDER BY group_size DESC, series ASC) <= {top:UInt64} AS is_kept
        {% endif %}
    FROM (
        SELECT start, series, values, state, sum(values) OVER (PARTITION BY series) AS group_size
        FROM (
SELECT
    {{ bucket }} AS start,
    {{ group }} AS series,
    count() AS values,
    quantilesExactInclusiveState({{ levels }})({% block value required %}{% endblock %}) AS state
{% include facts %}

WHERE {% block population required %}{% endblock %}

GROUP BY start, series
        )
    )
)
GROUP BY start, series, is_rest
{% else %}
SELECT
    {{ bucket }} AS start,
    '' AS series,
    toUInt8(0) AS is_rest,
    toUInt64(count()) AS size,
    quantilesExactInclusive({{ levels }})({{ self.value() }}) AS quantiles
{% include facts %}

WHERE {{ self.population() }}
GROUP BY start
{% endif %}
LIMIT {most_rows:UInt64}
