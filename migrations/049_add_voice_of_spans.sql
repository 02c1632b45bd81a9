-- What spans of voice agents tell: whether they are a call or a turn, how long the caller waited and for what, whether
-- the caller interrupted, and how a call went. Filled from the attributes by ingestion, see `ingest/genai/voice.rs`.
ALTER TABLE {{ table("assistants_tracing_spans") }} {{ on_cluster }}
ADD COLUMN IF NOT EXISTS voice_part        LowCardinality(String) AFTER time_to_first_token_ms,
ADD COLUMN IF NOT EXISTS first_audio_ms    Nullable(Float64) AFTER voice_part,
ADD COLUMN IF NOT EXISTS speech_to_text_ms Nullable(Float64) AFTER first_audio_ms,
ADD COLUMN IF NOT EXISTS model_ms          Nullable(Float64) AFTER speech_to_text_ms,
ADD COLUMN IF NOT EXISTS text_to_speech_ms Nullable(Float64) AFTER model_ms,
ADD COLUMN IF NOT EXISTS interrupted       Nullable(Bool) AFTER text_to_speech_ms,
ADD COLUMN IF NOT EXISTS outcome           LowCardinality(String) AFTER interrupted,
ADD COLUMN IF NOT EXISTS transfer_reason   LowCardinality(String) AFTER outcome,
ADD COLUMN IF NOT EXISTS direction         LowCardinality(String) AFTER transfer_reason
