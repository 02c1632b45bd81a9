-- Adds up the waits of each insert into `voice_facts`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("voice_latencies_1h_view") }} {{ on_cluster }} TO {{ table("voice_latencies_1h") }} AS
SELECT
    measured,
    toStartOfHour(toDateTime(time)) AS bucket,
    told_by, profile_code, platform, assistant_code, assistant_version, environment, direction,
    if(milliseconds > 0, toInt16(floor(log(milliseconds) / log(1.02))), toInt16(-32768)) AS bin,
    count() AS samples
FROM {{ table("voice_facts") }}
WHERE measured NOT IN ('call', 'turn')
GROUP BY measured, bucket, told_by, profile_code, platform, assistant_code, assistant_version, environment, direction, bin
