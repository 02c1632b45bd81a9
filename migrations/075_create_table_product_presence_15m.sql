-- Who was there, and in which session, by a quarter of an hour, which divides the offset of every zone: a row for each
-- user and session, so that users are counted exactly in every zone's days, and so that sessions can be told apart by
-- pauses, because no pause of half an hour fits between `first_at` and `last_at`.
--
-- `acts` are changes of filters and interactions with charts. `ended_at` is when the client told that the session had
-- ended, 1970 where it did not; what it told of the session is in the three columns behind it.
CREATE TABLE IF NOT EXISTS {{ table("product_presence_15m") }} {{ on_cluster }}
(
    user         UInt64,
    bucket       DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    session      UInt64,
    org_id_hash  LowCardinality(String),
    source       LowCardinality(String),
    first_at     SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    last_at      SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    events       SimpleAggregateFunction(sum, UInt64),
    page_views   SimpleAggregateFunction(sum, UInt64),
    acts         SimpleAggregateFunction(sum, UInt64),
    ended_at     SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    duration_ms  SimpleAggregateFunction(max, Nullable(UInt32)),
    pages_viewed SimpleAggregateFunction(max, Nullable(UInt32)),
    interactions SimpleAggregateFunction(max, Nullable(UInt32))
)
ENGINE = {{ engine("AggregatingMergeTree", "product_presence_15m") }}
PARTITION BY toYYYYMM(bucket)
ORDER BY (user, bucket, session, org_id_hash, source)
TTL bucket + INTERVAL 180 DAY
SETTINGS {{ deduplication_window }} = 10000
