-- In which conversations units were exposed to an experiment.
CREATE TABLE IF NOT EXISTS {{ table("experiment_conversations") }} {{ on_cluster }}
(
    experiment_id LowCardinality(String),
    conversation  UInt64,
    unit          UInt64,
    profile_code  LowCardinality(Nullable(String)),
    time          SimpleAggregateFunction(min, DateTime64(6, 'UTC')) COMMENT 'of the first exposure'
)
ENGINE = {{ engine("AggregatingMergeTree", "experiment_conversations") }}
ORDER BY (experiment_id, conversation, unit, profile_code)
SETTINGS {{ deduplication_window }} = 10000, allow_nullable_key = 1
