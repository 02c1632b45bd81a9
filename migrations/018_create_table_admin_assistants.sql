-- Stands in for the table of the operational database while none is connected.
CREATE TABLE IF NOT EXISTS {{ admin_table("assistants") }} {{ on_cluster }}
(
    code         String,
    name         String,
    profile_code Nullable(String)
)
ENGINE = {{ engine("MergeTree", "assistants") }}
ORDER BY code
