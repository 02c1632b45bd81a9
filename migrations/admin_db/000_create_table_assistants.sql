-- The one table of the operational database that can be read, and the columns of it. Not a database of PostgreSQL:
-- that would show all tables of its own, and ask for a list of them every minute, on threads that merges need too.
--
-- A connection for each question: one that was kept may have been cut off without a word, and then nothing that waits
-- for it can be ended. A connection is tried once, for two seconds, the shortest time that the client library knows.
CREATE OR REPLACE TABLE {{ admin_table("assistants") }} {{ on_cluster }}
(
    code         String,
    name         Nullable(String),
    profile_code Nullable(String)
)
ENGINE = PostgreSQL({{ server }}, {{ database }}, 'assistants', {{ user }}, {{ password }}, {{ schema }})
SETTINGS postgresql_connection_attempt_timeout = 2, postgresql_connection_pool_retries = 1,
    postgresql_connection_pool_auto_close_connection = 1, postgresql_connection_pool_size = 4,
    postgresql_connection_pool_wait_timeout = 500
COMMENT {{ fingerprint }}
