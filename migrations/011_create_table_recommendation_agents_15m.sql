-- Facts about recommendations by agent. Agents and sources together would hardly be fewer rows than
-- the events themselves, so this one knows no sources. The name of an agent is the newest one.
CREATE TABLE IF NOT EXISTS {{ table("recommendation_agents_15m") }} {{ on_cluster }}
(
    bucket              DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    profile_code        LowCardinality(Nullable(String)),
    platform            LowCardinality(Nullable(String)),
    agent_id            LowCardinality(Nullable(String)),
    agent_name_state    AggregateFunction(argMax, LowCardinality(Nullable(String)), Tuple(DateTime64(6, 'UTC'), LowCardinality(Nullable(String)))),
    messages            SimpleAggregateFunction(sum, UInt64),
    assisted_messages   SimpleAggregateFunction(sum, UInt64),
    sent_characters     SimpleAggregateFunction(sum, UInt64),
    assisted_characters SimpleAggregateFunction(sum, UInt64),
    sent_unedited       SimpleAggregateFunction(sum, UInt64),
    sent_edited         SimpleAggregateFunction(sum, UInt64),
    shown               SimpleAggregateFunction(sum, UInt64),
    accepted            SimpleAggregateFunction(sum, UInt64),
    dismissed           SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {{ engine("AggregatingMergeTree", "recommendation_agents_15m") }}
PARTITION BY toYYYYMM(bucket)
ORDER BY (bucket, profile_code, platform, agent_id)
SETTINGS {{ deduplication_window }} = 10000, allow_nullable_key = 1
