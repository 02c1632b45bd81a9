-- Kafka delivers at least once, so what the table has is left out, and what comes twice together is one. A block
-- is compared with the rows of its own times alone.
CREATE MATERIALIZED VIEW {{ table(name ~ "_arrivals_view") }} {{ on_cluster }} TO {{ table(name) }} AS
SELECT {{ column_names }}
FROM {{ table(name ~ "_arrivals") }}
WHERE arrival_error = ''
    AND ({{ id }}) NOT IN (
        SELECT {{ id }}
        FROM {{ table(name) }}
        WHERE {{ time }} >= (SELECT min({{ time }}) FROM {{ table(name ~ "_arrivals") }} WHERE arrival_error = '')
            AND {{ time }} <= (SELECT max({{ time }}) FROM {{ table(name ~ "_arrivals") }} WHERE arrival_error = '')
            AND ({{ id }}) IN (SELECT {{ id }} FROM {{ table(name ~ "_arrivals") }} WHERE arrival_error = '')
    )
LIMIT 1 BY {{ id }}
