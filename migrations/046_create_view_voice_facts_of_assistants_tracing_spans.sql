-- What the spans of voice agents tell; `voice_agents/facts_raw.sql` says the same.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("voice_facts_of_assistants_tracing_spans_view") }} {{ on_cluster }} TO {{ table("voice_facts") }} AS
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
        start_time AS time,
        'spans' AS told_by,
        cityHash64(if(conversation_id = '', trace_id, conversation_id)) AS conversation,
        profile_code,
        CAST(NULL, 'LowCardinality(Nullable(String))') AS platform,
        assistant_code,
        assistant_version,
        environment,
        direction,
        outcome,
        transfer_reason,
        span_end_time IS NOT NULL AS is_ended,
        interrupted AS is_interrupted,
        [voice_part, 'first_audio', 'speech_to_text', 'model', 'text_to_speech'] AS parts,
        arrayMap(
            wait -> if(wait >= 0 AND wait <= 86400000, wait, NULL),
            [
                if(voice_part = 'call', dateDiff('microsecond', start_time, span_end_time) / 1000, NULL),
                first_audio_ms, speech_to_text_ms, model_ms, text_to_speech_ms
            ]
        ) AS told_waits
    FROM {{ table("assistants_tracing_spans") }}
    WHERE voice_part != '' OR speech_to_text_ms IS NOT NULL OR model_ms IS NOT NULL OR text_to_speech_ms IS NOT NULL
)
ARRAY JOIN parts AS measured, told_waits AS wait
WHERE measured IN ('call', 'turn') OR wait IS NOT NULL
