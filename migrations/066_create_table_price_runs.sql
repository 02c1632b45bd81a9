-- Runs of `chartwell prices recompute`: what each is about, in the row of its step `begun`, and which of its steps are
-- done. One that was broken off is finished from here, with the prices that it began with.
CREATE TABLE IF NOT EXISTS {{ table("_price_runs") }} {{ on_cluster }}
(
    run_id      String,
    month       UInt32,
    step        LowCardinality(String),
    window_from DateTime64(6, 'UTC'),
    window_to   DateTime64(6, 'UTC'),
    prices      String,
    done_at     DateTime64(6, 'UTC')
)
ENGINE = {{ engine("MergeTree", "_price_runs") }}
ORDER BY (run_id, month, done_at)
