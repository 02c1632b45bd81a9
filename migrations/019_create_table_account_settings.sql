-- What belongs to an account and is made once, such as the salt that user ids are hashed with. The
-- earliest value of a name counts, so that two instances that make one at once agree.
CREATE TABLE IF NOT EXISTS {{ table("_account_settings") }} {{ on_cluster }}
(
    name   String,
    value  String,
    set_at DateTime64(6, 'UTC')
)
ENGINE = {{ engine("MergeTree", "_account_settings") }}
ORDER BY (name, set_at)
