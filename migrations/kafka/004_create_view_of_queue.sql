-- Takes messages off the topic. Its comment says which release and settings it was made for.
CREATE MATERIALIZED VIEW {{ table(name ~ "_queue_view") }} {{ on_cluster }} TO {{ table(name ~ "_arrivals") }} AS
SELECT
    {{ column_names }},
    _error AS arrival_error,
    _raw_message AS arrival_message
FROM {{ table(name ~ "_queue") }}
COMMENT {{ text(checksum) }}
