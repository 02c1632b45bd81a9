-- Facts about voice agents, one by one: a narrow row for each call, for each turn, and for each wait that one tells,
-- so that quantiles are exact and calls that are told twice can be told apart.
--
-- `measured` is `call`, `turn`, or what was waited for: `first_audio`, `speech_to_text`, `model`, `text_to_speech`, with
-- `milliseconds`. `told_by` is `events` or `spans`. `conversation` is the hash of the id of the conversation, and of the
-- trace where spans name none; 0 where events name none. What the measures are, `voice_agents/facts_raw.sql` says.
CREATE TABLE IF NOT EXISTS {{ table("voice_facts") }} {{ on_cluster }}
(
    measured            LowCardinality(String),
    time                DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    told_by             LowCardinality(String),
    conversation        UInt64,
    profile_code        LowCardinality(Nullable(String)),
    platform            LowCardinality(Nullable(String)),
    assistant_code      LowCardinality(String),
    assistant_version   LowCardinality(String),
    environment         LowCardinality(String),
    direction           LowCardinality(String),
    outcome             LowCardinality(String),
    transfer_reason     LowCardinality(String),
    milliseconds        Float64,
    calls               UInt8,
    endless_calls       UInt8,
    timed_calls         UInt8,
    call_micros         UInt64,
    turns               UInt8,
    telling_turns       UInt8,
    interrupted_turns   UInt8,
    waits               UInt8,
    answered_turns      UInt8,
    dead_air_turns      UInt8,
    dead_air_micros     UInt64
)
ENGINE = {{ engine("MergeTree", "voice_facts") }}
PARTITION BY toYYYYMM(time)
ORDER BY (measured, time)
{{ ttl("time") }}
SETTINGS {{ deduplication_window }} = 10000
