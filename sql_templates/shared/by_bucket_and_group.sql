-- The frame of every additive chart: values by bucket and group.
--
-- Row:        GroupedRow { start, series, is_rest, numerator, denominator }
-- Blocks:     `numerator` and `denominator`, which is 0 for a count, add up facts; `condition`, when not all of them count.
-- Parameters: {edges} starts of the buckets; {most_rows} rows that are wanted at the most.
--             With is_ranked, which a chart of very many groups needs: {top} groups to tell apart, or
--             with has_kept {kept}, the very groups, so that an earlier period is told apart by the same.
-- Names:      is_split; group = the column that is split by; is_ranked; has_kept; size = what a group is measured by.
{% if is_ranked %}
SELECT
    start,
    if(is_kept, series, '') AS series,
    toUInt8(NOT is_kept) AS is_rest,
    sum(numerator) AS numerator,
    sum(denominator) AS denominator
FROM (
    SELECT
        start,
        series,
        numerator,
        denominator,
        {% if has_kept %}
        has({kept:Array(String)}, series) AS is_kept
        {% else %}
        dense_rank() OVER (ORDER BY group_size DESC, series ASC) <= {top:UInt64} AS is_kept
        {% endif %}
    FROM (
        SELECT start, series, numerator, denominator, sum({{ size }}) OVER (PARTITION BY series) AS group_size
        FROM (
{% block grouped %}
SELECT
    {{ bucket }} AS start,
    {{ group }} AS series,
    toUInt8(0) AS is_rest,
    {%+ block numerator required %}{% endblock %} AS numerator,
    {%+ block denominator %}toUInt64(0){% endblock %} AS denominator
{% include facts %}

{% block condition %}{% endblock %}

GROUP BY start{% if is_split %}, series{% endif %}

{% endblock %}
        )
    )
)
GROUP BY start, series, is_rest
{% else %}
{{ self.grouped() }}
{% endif %}
LIMIT {most_rows:UInt64}
