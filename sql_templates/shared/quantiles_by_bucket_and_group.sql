-- The frame of every chart of quantiles: those of a value by bucket and group.
--
-- Row:        QuantilesRow { start, series, is_rest, size, quantiles }
-- Blocks:     `quantiles`, the aggregate function; `value`, what it is given; `samples`, how many values there are;
--             `population`, the facts that have one.
-- Parameters: {edges} starts of the buckets; {most_rows} rows that are wanted at the most.
--             With is_ranked: {top} groups to tell apart, or with has_kept {kept}, the very groups, so that an
--             earlier period is told apart by the same.
-- Names:      group = the column that is split by; is_ranked; has_kept; levels = those of the quantiles.
{% if is_ranked %}
SELECT
    start,
    if(is_kept, series, '') AS series,
    toUInt8(NOT is_kept) AS is_rest,
    toUInt64(sum(size)) AS size,
    {%+ block quantiles required %}{% endblock %}Merge({{ levels }})(state) AS quantiles
FROM (
    SELECT
        start,
        series,
        size,
        state,
        {% if has_kept %}
        has({kept:Array(String)}, series) AS is_kept
        {% else %}
        dense_rank() OVER (ORDER BY group_size DESC, series ASC) <= {top:UInt64} AS is_kept
        {% endif %}
    FROM (
        SELECT start, series, size, state, sum(size) OVER (PARTITION BY series) AS group_size
        FROM (
SELECT
    {{ bucket }} AS start,
    {{ group }} AS series,
    {%+ block samples required %}{% endblock %} AS size,
    {{ self.quantiles() }}State({{ levels }})({% block value required %}{% endblock %}) AS state
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
    toUInt64({{ self.samples() }}) AS size,
    {{ self.quantiles() }}({{ levels }})({{ self.value() }}) AS quantiles
{% include facts %}

WHERE {{ self.population() }}
GROUP BY start
{% endif %}
LIMIT {most_rows:UInt64}
