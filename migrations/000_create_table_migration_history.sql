-- One row for each file that was applied, written after its statement ran. On a cluster all servers have the same rows.
CREATE TABLE IF NOT EXISTS {{ table("_migration_history") }} {{ on_cluster }}
(
    version     UInt32,
    file        String,
    checksum    String COMMENT 'SHA-256 of the file as it is in the repository',
    applied_at  DateTime64(6, 'UTC'),
    duration_ms UInt64
)
ENGINE = {{ engine_of_all("MergeTree", "_migration_history") }}
ORDER BY version
