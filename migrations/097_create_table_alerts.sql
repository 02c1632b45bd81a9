-- How rules stand and what is to be told of them, each by its newest row. What is not written again for a month was of a
-- rule that is gone, or of a message that was delivered.
CREATE TABLE IF NOT EXISTS {{ table("_alerts") }} {{ on_cluster }}
(
    kind       LowCardinality(String) COMMENT 'rule or message',
    id         String,
    document   String,
    updated_at DateTime64(6, 'UTC')
)
ENGINE = {{ engine("ReplacingMergeTree", "_alerts") }}
ORDER BY (kind, id)
TTL toDateTime(updated_at) + INTERVAL 30 DAY
