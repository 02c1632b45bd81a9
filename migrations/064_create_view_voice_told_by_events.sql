-- Picks out what the events of voice agents tell; `voice_agents/facts_raw.sql` says the same.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("voice_told_by_events_view") }} {{ on_cluster }} TO {{ table("voice_told") }} AS
SELECT
    if(event = 'voice_call_ended', 'call', 'turn') AS part,
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
    data.duration_ms AS duration_ms,
    data.first_audio_ms AS first_audio_ms,
    data.speech_to_text_ms AS speech_to_text_ms,
    data.model_ms AS model_ms,
    data.text_to_speech_ms AS text_to_speech_ms
FROM {{ table("events") }}
WHERE event IN ('voice_call_ended', 'voice_turn')
