-- only: cluster
-- What queries read.
CREATE TABLE IF NOT EXISTS {{ distributed("_price_changes") }} {{ on_cluster }} AS {{ table("_price_changes") }}
ENGINE = {{ distributed_engine("_price_changes", "span") }}
