-- What an event or a span of a voice agent tells, on its way to `voice_facts`: the same columns for both. It keeps nothing.
--
-- The way has two steps because every insert pays for each view on its table, whatever the rows: those on `events` and
-- on spans only pick out rows and columns, and all that takes time to plan is behind this table.
CREATE TABLE IF NOT EXISTS {{ table("voice_told") }} {{ on_cluster }}
(
    part              LowCardinality(String) COMMENT 'call, turn, or neither',
    time              DateTime64(6, 'UTC'),
    told_by           LowCardinality(String) COMMENT 'events or spans',
    conversation      UInt64 COMMENT 'the hash of its id, or of the id of the trace where spans name none, or 0 where events name none',
    profile_code      LowCardinality(Nullable(String)),
    platform          LowCardinality(Nullable(String)),
    assistant_code    LowCardinality(String),
    assistant_version LowCardinality(String),
    environment       LowCardinality(String),
    direction         LowCardinality(String),
    outcome           LowCardinality(String),
    transfer_reason   LowCardinality(String),
    is_ended          Bool,
    is_interrupted    Nullable(Bool),
    duration_ms       Nullable(Float64),
    first_audio_ms    Nullable(Float64),
    speech_to_text_ms Nullable(Float64),
    model_ms          Nullable(Float64),
    text_to_speech_ms Nullable(Float64)
)
ENGINE = Null
