-- What events tell of experiments, on their way to what is made of it. It keeps nothing: the view on `events` only picks
-- out rows and columns, as with `voice_told`.
CREATE TABLE IF NOT EXISTS {{ table("experiment_told") }} {{ on_cluster }}
(
    event         LowCardinality(String) COMMENT 'exposure, interaction or error',
    time          DateTime64(6, 'UTC'),
    experiment_id LowCardinality(String),
    variant       LowCardinality(String),
    unit          UInt64 COMMENT 'the hash of the id of the visitor, or 0 where none is named',
    conversation  UInt64 COMMENT 'the hash of its id, or 0 where none is named',
    profile_code  LowCardinality(Nullable(String)),
    platform      LowCardinality(Nullable(String)),
    outcome       LowCardinality(String),
    latency_ms    Nullable(Float64),
    is_late       Bool COMMENT 'whether it came in more than an hour after it happened'
)
ENGINE = Null
