-- The frame of every chart of how long something took: quantiles by bucket and group.
--
-- Row:        QuantilesRow { start, series, is_rest, size, quantiles }; milliseconds.
-- Block:      `population`, where not all that is measured counts.
-- Parameters: {edges} starts of the buckets; {most_rows} rows that are wanted at the most.
--             With is_ranked: {top} groups to tell apart, or with has_kept {kept}, the very groups, so that an
--             earlier period is told apart by the same.
-- Names:      measured; is_split; group = the column that is split by; is_ranked; has_kept; levels = those of the quantiles;
--             is_binned = whether quantiles are made of bins, of which each stands for values within 1 % of it. Bins
--             are added up before that: there are fewer of them than there are rows.
{% if is_ranked %}
SELECT
    start,
    if(is_kept, series, '') AS series,
    toUInt8(NOT is_kept) AS is_rest,
    toUInt64(sum(size)) AS size,
    {%+ block quantiles %}{% if is_binned %}quantilesExactWeightedInterpolated{% else %}quantilesExactInclusive{% endif %}{% endblock %}Merge({{ levels }})(state) AS quantiles
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
    start,
    series,
    {%+ block samples %}{% if is_binned %}sum(samples){% else %}count(){% endif %}{% endblock %} AS size,
    {{ self.quantiles() }}State({{ levels }})({% block value %}{% if is_binned %}if(bin > -32768, pow(1.02, bin) * 2.04 / 2.02, 0), samples{% else %}milliseconds{% endif %}{% endblock %}) AS state
FROM (
{% block values %}
SELECT
    {{ bucket }} AS start,
    {{ group }} AS series,
    {% if is_binned %}
    bin,
    sum(facts.samples) AS samples
    {% else %}
    milliseconds
    {% endif %}
{% include facts %}

WHERE {% block population %}measured = {{ measured }}{% endblock %}

{% if is_binned %}
GROUP BY start, bin{% if is_split %}, series{% endif %}

{% endif %}
{% endblock %}
)
GROUP BY start, series
        )
    )
)
GROUP BY start, series, is_rest
{% else %}
SELECT
    start,
    {%+ if is_split %}series{% else %}'' AS series{% endif %},
    toUInt8(0) AS is_rest,
    toUInt64({{ self.samples() }}) AS size,
    {{ self.quantiles() }}({{ levels }})({{ self.value() }}) AS quantiles
FROM (
{{ self.values() }}
)
GROUP BY start{% if is_split %}, series{% endif %}

{% endif %}
LIMIT {most_rows:UInt64}
