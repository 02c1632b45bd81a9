-- Messages that cannot be read, and rows of too many months, are kept with the reason.
CREATE MATERIALIZED VIEW {{ table(name ~ "_arrivals_dead_view") }} {{ on_cluster }} TO {{ table("dead_letters") }} AS
SELECT
    generateUUIDv7() AS dead_letter_id,
    {{ text(name) }} AS table_name,
    '' AS row_id,
    if(arrival_error = '', 'it came together with rows of too many months: replay it', arrival_error) AS reason,
    if(arrival_error = '', formatRowNoNewline('JSONEachRow', {{ column_names }}), arrival_message) AS document,
    '' AS encoded,
    now64(6, 'UTC') AS accepted_at,
    now64(6, 'UTC') AS dead_at
FROM {{ table(name ~ "_arrivals") }}
WHERE arrival_error != '' OR toYYYYMM({{ time }}) NOT IN ({{ months }})
