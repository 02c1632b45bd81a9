-- Adds up each insert into `voice_15m`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("voice_1h_view") }} {{ on_cluster }} TO {{ table("voice_1h") }} AS
SELECT
    toStartOfHour(quarters.bucket) AS bucket,
    told_by, profile_code, platform, assistant_code, assistant_version, environment, direction, outcome, transfer_reason,
    sum(calls) AS calls,
    sum(endless_calls) AS endless_calls,
    sum(timed_calls) AS timed_calls,
    sum(call_micros) AS call_micros,
    sum(turns) AS turns,
    sum(telling_turns) AS telling_turns,
    sum(interrupted_turns) AS interrupted_turns,
    sum(waits) AS waits,
    sum(answered_turns) AS answered_turns,
    sum(dead_air_turns) AS dead_air_turns,
    sum(dead_air_micros) AS dead_air_micros
FROM {{ table("voice_15m") }} AS quarters
GROUP BY bucket, told_by, profile_code, platform, assistant_code, assistant_version, environment, direction, outcome, transfer_reason
