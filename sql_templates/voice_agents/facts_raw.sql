-- Facts about voice agents, from raw rows: a row for each call, each turn, and each wait that one tells.
--
-- A call that events tell counts when it ended, one that spans tell when it began. A duration or a wait that cannot be,
-- because it is negative or longer than a day, is none. Dead air is a wait of more than 3,000 ms for the first audio.
--
-- Names: has_only_calls = whether turns are left out.
SELECT
    measured,
    time,
    told_by,
    conversation,
    conversation_id,
    id,
    trace_id,
    profile_code,
    platform,
    assistant_code,
    assistant_version,
    environment,
    direction,
    outcome,
    transfer_reason,
    ifNull(wait, 0) AS milliseconds,
    if(milliseconds > 0, toInt16(floor(log(milliseconds) / log(1.02))), toInt16(-32768)) AS bin,
    toUInt64(1) AS samples,
    toUInt64(measured = 'call' AND is_ended) AS calls,
    toUInt64(measured = 'call' AND NOT is_ended) AS endless_calls,
    toUInt64(measured = 'call' AND wait IS NOT NULL) AS timed_calls,
    toUInt64(if(measured = 'call', round(milliseconds * 1000), 0)) AS call_micros,
    toUInt64(measured = 'turn') AS turns,
    toUInt64(measured = 'turn' AND is_interrupted IS NOT NULL) AS telling_turns,
    toUInt64(measured = 'turn' AND ifNull(is_interrupted, false)) AS interrupted_turns,
    toUInt64(measured NOT IN ('call', 'turn')) AS waits,
    toUInt64(measured = 'first_audio') AS answered_turns,
    toUInt64(measured = 'first_audio' AND milliseconds > 3000) AS dead_air_turns,
    toUInt64(if(dead_air_turns > 0, round(milliseconds * 1000), 0)) AS dead_air_micros
FROM (
    SELECT
        if(event = 'voice_call_ended', 'call', 'turn') AS part,
        time_utc AS time,
        'events' AS told_by,
        if(ifNull(raw.conversation_id, '') = '', 0, cityHash64(assumeNotNull(raw.conversation_id))) AS conversation,
        ifNull(raw.conversation_id, '') AS conversation_id,
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
        data.duration_ms AS duration_ms,
        data.first_audio_ms AS first_audio_ms,
        data.speech_to_text_ms AS speech_to_text_ms,
        data.model_ms AS model_ms,
        data.text_to_speech_ms AS text_to_speech_ms,
        toString(event_id) AS id,
        '' AS trace_id
    FROM {{ table("events") }} AS raw
    {% if has_only_calls %}
    WHERE event = 'voice_call_ended'
    {% else %}
    WHERE event IN ('voice_call_ended', 'voice_turn')
    {% endif %}
        AND {{ base("time_utc") }}

    UNION ALL

    SELECT
        voice_part AS part,
        start_time AS time,
        'spans' AS told_by,
        cityHash64(if(conversation_id = '', trace_id, conversation_id)) AS conversation,
        conversation_id,
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
        dateDiff('microsecond', start_time, span_end_time) / 1000 AS duration_ms,
        first_audio_ms,
        speech_to_text_ms,
        model_ms,
        text_to_speech_ms,
        span_id AS id,
        trace_id
    FROM {{ table("assistants_tracing_spans") }} AS raw
    {% if has_only_calls %}
    WHERE voice_part = 'call'
    {% else %}
    WHERE (voice_part != '' OR speech_to_text_ms IS NOT NULL OR model_ms IS NOT NULL OR text_to_speech_ms IS NOT NULL)
    {% endif %}
        AND {{ base("start_time") }}
)
ARRAY JOIN
    [part, 'first_audio', 'speech_to_text', 'model', 'text_to_speech'] AS measured,
    arrayMap(
        told -> if(told >= 0 AND told <= 86400000, told, NULL),
        [if(part = 'call', duration_ms, NULL), first_audio_ms, speech_to_text_ms, model_ms, text_to_speech_ms]
    ) AS wait
WHERE measured IN ('call', 'turn') OR (wait IS NOT NULL AND part != 'call')
