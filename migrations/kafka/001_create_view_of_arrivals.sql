-- Kafka delivers at least once, so what the table has is left out, and what comes twice together is one. A block
-- is compared with the rows of its own times alone. One of too many months would be refused for ever: the newest
-- months go this way.
CREATE MATERIALIZED VIEW {{ table(name ~ "_arrivals_view") }} {{ on_cluster }} TO {{ table(name) }} AS
SELECT {{ column_names }}
FROM {{ table(name ~ "_arrivals") }}
WHERE arrival_error = ''
    AND toYYYYMM({{ time }}) IN ({{ months }})
    AND ({{ id }}) NOT IN (
        SELECT {{ id }}
        FROM {{ table(name) }}
        WHERE {{ time }} >= (SELECT min({{ time }}) FROM {{ table(name ~ "_arrivals") }} WHERE arrival_error = '')
            AND {{ time }} <= (SELECT max({{ time }}) FROM {{ table(name ~ "_arrivals") }} WHERE arrival_error = '')
            AND ({{ id }}) IN (SELECT {{ id }} FROM {{ table(name ~ "_arrivals") }} WHERE arrival_error = '')
    )
LIMIT 1 BY {{ id }}
