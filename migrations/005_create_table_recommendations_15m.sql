-- Facts about recommendations, added up by a quarter of an hour: the largest unit that divides the
-- offset of every time zone.
CREATE TABLE IF NOT EXISTS {{ table("recommendations_15m") }} {{ on_cluster }}
(
    bucket              DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    profile_code        LowCardinality(Nullable(String)),
    platform            LowCardinality(Nullable(String)),
    source              LowCardinality(String),
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
ENGINE = {{ engine("AggregatingMergeTree", "recommendations_15m") }}
PARTITION BY toYYYYMM(bucket)
ORDER BY (bucket, profile_code, platform, source)
SETTINGS {{ deduplication_window }} = 10000, allow_nullable_key = 1
