-- Picks out what the spans of voice agents tell; `voice_agents/facts_raw.sql` says the same.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("voice_told_by_spans_view") }} {{ on_cluster }} TO {{ table("voice_told") }} AS
SELECT
    voice_part AS part,
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
    dateDiff('microsecond', start_time, span_end_time) / 1000 AS duration_ms,
    first_audio_ms,
    speech_to_text_ms,
    model_ms,
    text_to_speech_ms
FROM {{ table("assistants_tracing_spans") }}
WHERE voice_part != '' OR speech_to_text_ms IS NOT NULL OR model_ms IS NOT NULL OR text_to_speech_ms IS NOT NULL
