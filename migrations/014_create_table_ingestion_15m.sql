-- How much came in and when, by table: says how fresh an answer is without reading the table.
CREATE TABLE IF NOT EXISTS {{ table("ingestion_15m") }} {{ on_cluster }}
(
    bucket     DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    table_name LowCardinality(String),
    row_count  SimpleAggregateFunction(sum, UInt64),
    newest     SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = {{ engine("AggregatingMergeTree", "ingestion_15m") }}
ORDER BY (table_name, bucket)
SETTINGS {{ deduplication_window }} = 10000
