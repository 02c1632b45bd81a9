-- Makes facts of what events and spans tell; `voice_agents/facts_raw.sql` says the same.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("voice_facts_view") }} {{ on_cluster }} TO {{ table("voice_facts") }} AS
SELECT
    measured,
    time,
    told_by,
    conversation,
    profile_code,
    platform,
    assistant_code,
    assistant_version,
    environment,
    direction,
    outcome,
    transfer_reason,
    ifNull(wait, 0) AS milliseconds,
    toUInt8(measured = 'call' AND is_ended) AS calls,
    toUInt8(measured = 'call' AND NOT is_ended) AS endless_calls,
    toUInt8(measured = 'call' AND wait IS NOT NULL) AS timed_calls,
    toUInt64(if(measured = 'call', round(milliseconds * 1000), 0)) AS call_micros,
    toUInt8(measured = 'turn') AS turns,
    toUInt8(measured = 'turn' AND is_interrupted IS NOT NULL) AS telling_turns,
    toUInt8(measured = 'turn' AND ifNull(is_interrupted, false)) AS interrupted_turns,
    toUInt8(measured NOT IN ('call', 'turn')) AS waits,
    toUInt8(measured = 'first_audio') AS answered_turns,
    toUInt8(measured = 'first_audio' AND milliseconds > 3000) AS dead_air_turns,
    toUInt64(if(dead_air_turns > 0, round(milliseconds * 1000), 0)) AS dead_air_micros
FROM {{ table("voice_told") }}
ARRAY JOIN
    [part, 'first_audio', 'speech_to_text', 'model', 'text_to_speech'] AS measured,
    arrayMap(
        told -> if(told >= 0 AND told <= 86400000, told, NULL),
        [if(part = 'call', duration_ms, NULL), first_audio_ms, speech_to_text_ms, model_ms, text_to_speech_ms]
    ) AS wait
WHERE measured IN ('call', 'turn') OR (wait IS NOT NULL AND part != 'call')
