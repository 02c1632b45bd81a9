//! Migrations on the real engine: resumed wherever they stopped, refused where they do not fit.

use std::time::Duration;

use chartwell::clickhouse::ClickHouse;
use chartwell::migrations::{Migration, MigrationError, Migrator, PlanError, State, Target, migrations};

use crate::databases;
use crate::support::{BOTH_WAYS, Via, account, clickhouse, target};

fn migrator<'a>(clickhouse: &'a ClickHouse, target: Target, migrations: &'a [Migration]) -> Migrator<'a> {
    Migrator { clickhouse, target, migrations, is_alone: false, may_shorten_retention: false }
}

/// The schema of an account: every column of every table, and how rows are ordered and kept.
async fn schema(clickhouse: &ClickHouse, name: &str) -> Vec<String> {
    let account = account(name);
    let (analytics, admin) = (account.analytics_database(), account.admin_database());
    let sql = format!(
        "SELECT concat(table, '.', name, ' ', type, ' ', default_kind, ' ', default_expression) AS line FROM system.columns WHERE database IN ('{analytics}', '{admin}') \
         UNION ALL SELECT concat(name, ' ', engine_full, ' ', as_select) AS line FROM system.tables WHERE database IN ('{analytics}', '{admin}')"
    );
    let lines: Vec<String> = clickhouse.fetch(&sql).await.unwrap();
    let mut lines: Vec<String> =
        lines.iter().map(|line| line.replace(&analytics, "analytics").replace(&admin, "admin")).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_second_run_has_nothing_to_do() {
    for via in BOTH_WAYS {
        let clickhouse = clickhouse(via).await;
        let migrations = migrations().unwrap();
        let target = target(&format!("migrated_{via:?}").to_lowercase());
        let migrator = migrator(&clickhouse, target, &migrations);
        let first = migrator.run().await.unwrap();
        assert_eq!(first.applied.len(), migrations.len());
        assert_eq!(migrator.run().await.unwrap().applied, [""; 0]);
        assert!(migrator.status().await.unwrap().iter().all(|status| status.state == State::Applied));
        assert_eq!(migrator.dry_run().await.unwrap(), []);
    }
}

#[tokio::test]
async fn all_files_once_more_change_nothing_where_they_are_applied() {
    let clickhouse = clickhouse(Via::Pipe).await;
    let migrations = migrations().unwrap();
    let migrator = migrator(&clickhouse, target("migrated_again"), &migrations);
    migrator.run().await.unwrap();
    let before = schema(&clickhouse, "migrated_again").await;
    let lost = "migrated_again_analytics.recommendations_1h";
    clickhouse.execute(&format!("DROP TABLE {lost} SYNC")).await.unwrap();
    assert_ne!(schema(&clickhouse, "migrated_again").await, before);
    migrator.run_again().await.unwrap();
    assert_eq!(schema(&clickhouse, "migrated_again").await, before);
    assert!(migrator.status().await.unwrap().iter().all(|status| status.state == State::Applied));
    assert_eq!(migrator.run().await.unwrap().applied, [""; 0]);
}

#[tokio::test]
async fn a_run_that_was_killed_at_any_statement_is_resumed_to_the_same_schema() {
    let clickhouse = clickhouse(Via::Pipe).await;
    let migrations = migrations().unwrap();
    migrator(&clickhouse, target("whole"), &migrations).run().await.unwrap();
    let whole = schema(&clickhouse, "whole").await;
    // Files up to one were applied, and that ran itself, but its row was not written any more: at each file in turn,
    // where it runs again, and at one of them with a whole run behind it.
    let killed_at = fastrand::usize(..migrations.len());
    for (name, last) in [("killed_at_each", migrations.len()), ("killed", killed_at)] {
        for database in [account(name).analytics_database(), account(name).admin_database()] {
            clickhouse.execute(&format!("CREATE DATABASE {database}")).await.unwrap();
        }
        let resumed = migrator(&clickhouse, target(name), &migrations);
        for migration in &migrations[..last] {
            resumed.apply(migration).await.unwrap();
            resumed.apply(migration).await.unwrap();
            resumed.record(&[(migration, Duration::ZERO)]).await.unwrap();
        }
        if let Some(killed) = migrations.get(last) {
            resumed.apply(killed).await.unwrap();
        }
        assert_eq!(resumed.run().await.unwrap().applied.len(), migrations.len() - last);
        assert!(schema(&clickhouse, name).await == whole, "killed at {last}, the schema is another");
    }
}

#[tokio::test]
async fn what_tests_lay_down_is_what_migrations_make() {
    let clickhouse = clickhouse(Via::Pipe).await;
    let migrations = migrations().unwrap();
    migrator(&clickhouse, target("made_here"), &migrations).run().await.unwrap();
    databases::migrate(&clickhouse, target("laid_down")).await;
    let (laid_down, made) = (schema(&clickhouse, "laid_down").await, schema(&clickhouse, "made_here").await);
    let different: Vec<_> = laid_down.iter().zip(&made).filter(|(laid_down, made)| laid_down != made).collect();
    assert_eq!((laid_down.len(), &different[..]), (made.len(), &[][..]));
    assert_eq!(migrator(&clickhouse, target("laid_down"), &migrations).run().await.unwrap().applied, [""; 0]);
}

#[tokio::test]
async fn a_newest_file_that_is_in_the_history_twice_is_applied() {
    let clickhouse = clickhouse(Via::Pipe).await;
    let migrations = migrations().unwrap();
    let migrator = migrator(&clickhouse, target("twice"), &migrations);
    migrator.run().await.unwrap();
    let newest = migrations.last().unwrap();
    migrator.apply(newest).await.unwrap();
    migrator.record(&[(newest, Duration::ZERO)]).await.unwrap();
    assert_eq!(migrator.run().await.unwrap().applied, [""; 0]);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_the_first_statement() {
    let clickhouse = clickhouse(Via::Pipe).await;
    let migrations = migrations().unwrap();
    migrator(&clickhouse, target("refused"), &migrations[..25]).run().await.unwrap();
    let before = schema(&clickhouse, "refused").await;

    let mut edited = migrations.clone();
    edited[1].checksum = "other".to_owned();
    let mut gap = migrations.clone();
    gap.remove(6);
    let mut duplicate = migrations.clone();
    duplicate.push(duplicate[5].clone());
    let older = migrations[..2].to_vec();
    for (set, expected) in [
        (edited, PlanError::Edited(migrations[1].file.clone())),
        (gap, PlanError::Gap { missing: 6, file: migrations[7].file.clone() }),
        (duplicate, PlanError::Duplicate(migrations[5].file.clone(), migrations[5].file.clone())),
        (older, PlanError::FromTheFuture(migrations[2].file.clone())),
    ] {
        let error = migrator(&clickhouse, target("refused"), &set).run().await.unwrap_err();
        assert!(matches!(&error, MigrationError::Plan { error, .. } if *error == expected), "{error}");
        assert!(schema(&clickhouse, "refused").await == before, "the schema was changed");
    }
}

#[tokio::test]
async fn a_statement_that_fails_names_file_statement_and_reason() {
    let clickhouse = clickhouse(Via::Pipe).await;
    let mut migrations = migrations().unwrap();
    let number = migrations.len();
    let text = "CREATE TABLE {{ table(\"broken\") }}\n(x NoSuchType) ENGINE = MergeTree ORDER BY x";
    let file = format!("{number:03}_create_table_broken.sql");
    migrations.push(Migration::new(&file, text, "sum".to_owned()).unwrap());
    let error = migrator(&clickhouse, target("broken"), &migrations).run().await.unwrap_err().to_string();
    assert!(
        error.contains(&file)
            && error.contains("NoSuchType")
            && error.contains("CREATE TABLE `broken_analytics`.`broken`"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_start_at_once_one_migrates_and_the_other_waits() {
    let clickhouse = clickhouse(Via::Tcp).await;
    let migrations = migrations().unwrap();
    let (one, other) =
        (migrator(&clickhouse, target("at_once"), &migrations), migrator(&clickhouse, target("at_once"), &migrations));
    let (one, other) = tokio::join!(one.run(), other.run());
    let mut applied = [one.unwrap().applied.len(), other.unwrap().applied.len()];
    applied.sort_unstable();
    assert_eq!(applied, [0, migrations.len()]);
}

#[tokio::test]
async fn a_shorter_retention_is_refused_unless_it_is_wanted_and_a_longer_one_is_set() {
    let clickhouse = clickhouse(Via::Pipe).await;
    let migrations = migrations().unwrap();
    let keeping = |retention_days| Target { retention_days, ..target("retention") };
    let ttl = async || -> Vec<String> {
        let sql = "SELECT extract(engine_full, 'toIntervalDay\\\\((\\\\d+)\\\\)') FROM system.tables WHERE database = 'retention_analytics' AND name = 'events'";
        clickhouse.fetch(sql).await.unwrap()
    };
    migrator(&clickhouse, keeping(90), &migrations).run().await.unwrap();
    assert_eq!(ttl().await, ["90"]);
    migrator(&clickhouse, keeping(120), &migrations).run().await.unwrap();
    assert_eq!(ttl().await, ["120"]);
    let error = migrator(&clickhouse, keeping(30), &migrations).run().await.unwrap_err().to_string();
    assert!(
        error.contains("CHARTWELL_RETENTION_DAYS is for 30 days, but `events` has kept rows for 120 days"),
        "{error}"
    );
    assert_eq!(ttl().await, ["120"]);
    let wanted = Migrator { may_shorten_retention: true, ..migrator(&clickhouse, keeping(30), &migrations) };
    wanted.run().await.unwrap();
    assert_eq!(ttl().await, ["30"]);
    migrator(&clickhouse, keeping(0), &migrations).run().await.unwrap();
    assert_eq!(ttl().await, [""]);
    let error = migrator(&clickhouse, keeping(90), &migrations).run().await.unwrap_err().to_string();
    assert!(error.contains("has kept rows for ever"), "{error}");
}

#[test]
fn the_files_are_in_order_and_each_has_one_statement() {
    for migration in migrations().unwrap() {
        let text = &migration.text;
        assert!(text.starts_with("--"), "{} says nothing about itself", migration.file);
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
        let statements = code.join("\n").split(';').filter(|statement| !statement.trim().is_empty()).count();
        assert_eq!(statements, 1, "{}", migration.file);
    }
}
