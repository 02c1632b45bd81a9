-- What the events of voice agents tell; `voice_agents/facts_raw.sql` says the same.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("voice_facts_of_events_view") }} {{ on_cluster }} TO {{ table("voice_facts") }} AS
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
FROM (
    SELECT
        time_utc AS time,
        'events' AS told_by,
        if(ifNull(conversation_id, '') = '', 0, cityHash64(assumeNotNull(conversation_id))) AS conversation,
        profile_code,
        platform,
        ifNull(data.assistant_id, '') AS assistant_code,
        ifNull(data.assistant_version, '') AS assistant_version,
        '' AS environment,
        ifNull(data.direction, '') AS direction,
        if(event = 'voice_call_ended', ifNull(data.outcome, ''), '') AS outcome,
        if(event = 'voice_call_ended', ifNull(data.transfer_reason, ''), '') AS transfer_reason,
        true AS is_ended,
        data.interrupted AS is_interrupted,
        if(event = 'voice_call_ended', ['call'], ['turn', 'first_audio', 'speech_to_text', 'model', 'text_to_speech']) AS parts,
        arrayMap(
            wait -> if(wait >= 0 AND wait <= 86400000, wait, NULL),
            if(
                event = 'voice_call_ended',
                [data.duration_ms],
                [NULL, data.first_audio_ms, data.speech_to_text_ms, data.model_ms, data.text_to_speech_ms]
            )
        ) AS told_waits
    FROM {{ table("events") }}
    WHERE event IN ('voice_call_ended', 'voice_turn')
)
ARRAY JOIN parts AS measured, told_waits AS wait
WHERE measured IN ('call', 'turn') OR wait IS NOT NULL
