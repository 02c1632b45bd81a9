-- The frame of every additive chart: values by bucket and group.
--
-- Row:        GroupedRow { bucket, series, numerator, denominator }; a series of NULL is the rest.
-- Block:      `grouped` gives bucket, series, numerator and denominator, grouped by the first two.
-- Parameters: {edges} starts of the buckets; {most_rows} rows that are wanted at the most.
--             With is_ranked, which a chart of very many groups needs: {top} groups to tell apart, or
--             with has_kept {kept}, the very groups, so that an earlier period is told apart by the same.
-- Names:      is_ranked; has_kept; size = the column that a group is measured by.
{% if is_ranked %}
SELECT bucket, if(is_kept, series, NULL) AS series, sum(numerator) AS numerator, sum(denominator) AS denominator
FROM (
    SELECT
        bucket,
        toNullable(series) AS series,
        numerator,
        denominator,
        {% if has_kept %}
        has({kept:Array(String)}, series) AS is_kept
        {% else %}
        dense_rank() OVER (ORDER BY group_size DESC, series ASC) <= {top:UInt64} AS is_kept
        {% endif %}
    FROM (
        SELECT bucket, series, numerator, denominator, sum({{ size }}) OVER (PARTITION BY series) AS group_size
        FROM (
{% block grouped %}{% endblock %}

        )
    )
)
GROUP BY bucket, series
{% else %}
SELECT bucket, toNullable(series) AS series, numerator, denominator
FROM (
{{ self.grouped() }}

)
{% endif %}
LIMIT {most_rows:UInt64}
