//! The operational database of the stack, in a PostgreSQL.

use super::text;
use crate::postgres::Postgres;

#[test]
fn whoever_reads_names_of_assistants_reads_nothing_else_and_writes_nothing() {
    let postgres = Postgres::start();
    postgres.sql("postgres", "CREATE DATABASE operations");
    let password = "it's \"a\" pass\\word $HOME";
    let quoted = password.replace('\\', "\\\\").replace('\'', "''");
    let init = format!("\\setenv POSTGRES_READER_PASSWORD '{quoted}'\n{}", text("deploy/postgres/init.sql"));
    postgres.sql("operations", &init);
    postgres
        .sql("operations", "CREATE TABLE salaries (code text, salary int); INSERT INTO salaries VALUES ('triage', 1)");

    let reader = |database: &str, sql: &str| postgres.try_sql_as(("chartwell_reader", password), database, sql);
    let names = reader("operations", "SELECT code, name, profile_code FROM assistants ORDER BY code").unwrap();
    assert!(names.contains("order-status | Order status | support"), "{names}");
    for refused in [
        "SELECT * FROM salaries",
        "INSERT INTO assistants VALUES ('a', 'b', 'c')",
        "UPDATE assistants SET name = 'b'",
        "DELETE FROM assistants",
        "TRUNCATE assistants",
        "DROP TABLE assistants",
        "CREATE TABLE more (n int)",
        "CREATE TEMPORARY TABLE more (n int)",
        "CREATE SCHEMA more",
        "CREATE ROLE more",
        "COPY assistants (code) TO PROGRAM 'true'",
        "SELECT rolpassword FROM pg_authid",
    ] {
        let error = reader("operations", refused).expect_err(refused);
        assert!(
            error.contains("denied") || error.contains("must be") || error.contains("permission"),
            "{refused}: {error}"
        );
    }
    let elsewhere = reader("postgres", "SELECT 1").unwrap_err();
    assert!(elsewhere.contains("permission denied for database"), "{elsewhere}");
    assert!(postgres.try_sql_as(("chartwell_reader", "another"), "operations", "SELECT 1").is_err());
}
