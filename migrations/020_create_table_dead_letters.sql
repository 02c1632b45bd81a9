-- Rows that were accepted and that the engine refuses for good, with its reason, until they are replayed.
CREATE TABLE IF NOT EXISTS {{ table("dead_letters") }} {{ on_cluster }}
(
    dead_letter_id UUID,
    table_name     LowCardinality(String),
    row_id         String COMMENT 'the id of the row, in hexadecimal',
    reason         String,
    document       String COMMENT 'the row as JSON, by the names of its columns',
    encoded        String COMMENT 'the row as the spool has it, in base64',
    accepted_at    DateTime64(6, 'UTC'),
    dead_at        DateTime64(6, 'UTC')
)
ENGINE = {{ engine("MergeTree", "dead_letters") }}
ORDER BY (table_name, dead_at, dead_letter_id)
SETTINGS {{ deduplication_window }} = 10000
