-- One row for each file that was applied, written after its statement ran.
CREATE TABLE IF NOT EXISTS {{ table("_migration_history") }} {{ on_cluster }}
(
    version     UInt32,
    file        String,
    checksum    String COMMENT 'SHA-256 of the file as it is in the repository',
    applied_at  DateTime64(6, 'UTC'),
    duration_ms UInt64
)
ENGINE = {{ engine("MergeTree", "_migration_history") }}
ORDER BY version
