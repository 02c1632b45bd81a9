-- Adds up each insert into `assistant_latencies`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("assistant_latencies_1h_view") }} {{ on_cluster }} TO {{ table("assistant_latencies_1h") }} AS
SELECT
    measured,
    toStartOfHour(toDateTime(time)) AS bucket,
    assistant_code, assistant_version, environment, profile_code, operation, provider, model,
    if(milliseconds > 0, toInt16(floor(log(milliseconds) / log(1.02))), toInt16(-32768)) AS bin,
    count() AS samples
FROM {{ table("assistant_latencies") }}
WHERE measured IN ('run', 'first_token')
GROUP BY measured, bucket, assistant_code, assistant_version, environment, profile_code, operation, provider, model, bin
