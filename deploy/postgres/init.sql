-- The operational database, as far as this stack has one: the table that the program reads, and the role that reads it.
-- An existing one needs the last four statements alone. It runs once, on an empty volume.
\set ON_ERROR_STOP on
\set password `printf %s "$POSTGRES_READER_PASSWORD"`

CREATE TABLE assistants (
    code         text PRIMARY KEY,
    name         text NOT NULL,
    profile_code text
);
INSERT INTO assistants (code, name, profile_code) VALUES
    ('triage', 'Triage', 'support'),
    ('order-status', 'Order status', 'support');

-- Nobody makes tables here but who owns the database, and nobody connects who was not let in by name.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', datname) FROM pg_database WHERE datallowconn \gexec

CREATE ROLE chartwell_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 20 PASSWORD :'password';
SELECT format('GRANT CONNECT ON DATABASE %I TO chartwell_reader', current_database()) \gexec
GRANT USAGE ON SCHEMA public TO chartwell_reader;
GRANT SELECT (code, name, profile_code) ON assistants TO chartwell_reader;
