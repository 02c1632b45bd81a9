-- Which variants an experiment has: a few rows, where `experiment_units` has one for each unit.
CREATE TABLE IF NOT EXISTS {{ table("experiment_variants") }} {{ on_cluster }}
(
    experiment_id LowCardinality(String),
    variant       LowCardinality(String),
    profile_code  LowCardinality(Nullable(String)),
    time          SimpleAggregateFunction(min, DateTime64(6, 'UTC')) COMMENT 'of the first exposure',
    last_time     SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = {{ engine("AggregatingMergeTree", "experiment_variants") }}
ORDER BY (experiment_id, variant, profile_code)
SETTINGS {{ deduplication_window }} = 10000, allow_nullable_key = 1
