-- only: cluster
-- What queries read.
CREATE TABLE IF NOT EXISTS {{ distributed("_price_runs") }} {{ on_cluster }} AS {{ table("_price_runs") }}
ENGINE = {{ distributed_engine("_price_runs", "run_id") }}
