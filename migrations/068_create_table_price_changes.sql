-- The spans whose cost a run changes, by a digest of their ids: rollups and rows must change by the same spans, while
-- others come in. They are dropped when the run is done.
CREATE TABLE IF NOT EXISTS {{ table("_price_changes") }} {{ on_cluster }}
(
    run_id String,
    month  UInt32,
    span   UInt64
)
ENGINE = {{ engine("MergeTree", "_price_changes") }}
PARTITION BY run_id
ORDER BY (month, span)
