-- When units were first exposed to a variant of an experiment. Kept for as long as the account is: what was first stays
-- first, also when the rows that told it are gone. Rows that come late, or twice, or in any order add up to the same.
CREATE TABLE IF NOT EXISTS {{ table("experiment_units") }} {{ on_cluster }}
(
    experiment_id  LowCardinality(String),
    unit           UInt64 COMMENT '0 = exposures that name no visitor',
    variant        LowCardinality(String),
    profile_code   LowCardinality(Nullable(String)),
    platform       LowCardinality(Nullable(String)),
    time           SimpleAggregateFunction(min, DateTime64(6, 'UTC')) COMMENT 'of the first exposure',
    last_time      SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    exposures      SimpleAggregateFunction(sum, UInt64),
    late_exposures SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {{ engine("AggregatingMergeTree", "experiment_units") }}
ORDER BY (experiment_id, unit, variant, profile_code, platform)
SETTINGS {{ deduplication_window }} = 10000, allow_nullable_key = 1
