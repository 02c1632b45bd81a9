-- The frame of every table: a page of its rows, each with how many there are in all.
--
-- Block:      `rows`, with the columns of the answer's rows, and maybe others.
-- Parameters: {limit}, {offset}
-- Names:      row_columns = those of the answer; order_by
SELECT {{ row_columns }}, toUInt64(count() OVER ()) AS total
FROM (
{% block rows required %}{% endblock %}

)
ORDER BY {{ order_by }}
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
