//! The writer: retries without end, tokens, poisoned rows, and what the engine does with a repeated block.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chartwell::clickhouse::Freshness;
use chartwell::clickhouse::native::JsonForm;
use chartwell::json::Object;
use chartwell::rows::{Counters, Event, Month, Row, Rows, Table};
use chartwell::writer::{DeadLetter, Inserter};
use serde_json::json;
use uuid::Uuid;

use crate::support::{TestApp, account, eventually, message, with};

async fn counts(app: &TestApp, sql: &str) -> u64 {
    app.clickhouse.fetch::<u64>(&sql.replace("DB", &format!("{}_analytics", app.account))).await.unwrap()[0]
}

const RAW: &str = "SELECT count() FROM DB.events";
const ROLLUP: &str = "SELECT toUInt64(sum(messages)) FROM DB.recommendations_15m";
const HOURLY: &str = "SELECT toUInt64(sum(messages)) FROM DB.recommendations_1h";

fn block(number: u128) -> Vec<Bytes> {
    block_of("Send Message", number)
}

fn block_of(name: &'static str, number: u128) -> Vec<Bytes> {
    let text = |text: &'static str| Some(text.into());
    let event = Event {
        event_id: Uuid::from_u128(number),
        time_utc: "2026-02-01T10:00:00Z".parse().unwrap(),
        event: name.into(),
        profile_code: text("support"),
        platform_session_id: None,
        platform: text("web"),
        agent_id: None,
        agent_email: None,
        agent_name: None,
        visitor_id: None,
        conversation_id: None,
        data: Object::from([("text_length", 10_u32.into())]),
        suggestions: Vec::new(),
    };
    let mut rows = Rows::new(Table::Events, Month::of(event.time()), event.time_utc);
    rows.push(&event);
    Table::Events.block(&[rows], JsonForm::Columns).unwrap()
}

#[tokio::test]
async fn a_block_that_is_inserted_again_under_its_token_changes_nothing_in_table_or_rollups() {
    let app = TestApp::start("repeated").await;
    let (table, columns) = ("repeated_analytics.events", Table::Events.column_names());
    for _ in 0..3 {
        app.clickhouse.insert_block(table, &columns, block(1), "one token").await.unwrap();
    }
    assert_eq!((counts(&app, RAW).await, counts(&app, ROLLUP).await, counts(&app, HOURLY).await), (1, 1, 1));
    app.clickhouse.insert_block(table, &columns, block(1), "another token").await.unwrap();
    assert_eq!((counts(&app, RAW).await, counts(&app, ROLLUP).await, counts(&app, HOURLY).await), (2, 2, 2));
}

#[tokio::test]
async fn a_block_that_reached_the_table_and_not_its_views_reaches_them_with_the_retry() {
    let app = TestApp::start("half_done").await;
    // A view whose own table takes nothing yet.
    app.clickhouse
        .execute("CREATE TABLE half_done_analytics.seen (event_id UUID, CONSTRAINT closed CHECK 0) ENGINE = MergeTree ORDER BY event_id SETTINGS non_replicated_deduplication_window = 100")
        .await
        .unwrap();
    let view = "CREATE MATERIALIZED VIEW half_done_analytics.seen_view TO half_done_analytics.seen AS SELECT event_id FROM half_done_analytics.events";
    app.clickhouse.execute(view).await.unwrap();
    let (table, columns) = ("half_done_analytics.events", Table::Events.column_names());
    assert!(app.clickhouse.insert_block(table, &columns, block(1), "token").await.is_err());
    assert_eq!(counts(&app, RAW).await, 1, "the table has it although the insert failed");
    assert_eq!(counts(&app, "SELECT count() FROM DB.seen").await, 0);
    app.clickhouse.execute("ALTER TABLE half_done_analytics.seen DROP CONSTRAINT closed").await.unwrap();
    for _ in 0..2 {
        app.clickhouse.insert_block(table, &columns, block(1), "token").await.unwrap();
    }
    let seen = counts(&app, "SELECT count() FROM DB.seen").await;
    assert_eq!((counts(&app, RAW).await, seen, counts(&app, ROLLUP).await, counts(&app, HOURLY).await), (1, 1, 1, 1));
}

#[tokio::test]
async fn facts_that_come_by_a_table_that_keeps_nothing_come_once_wherever_their_way_broke_off() {
    let app = TestApp::start("half_told").await;
    let (table, columns) = ("half_told_analytics.events", Table::Events.column_names());
    const FACTS: &str = "SELECT count() FROM DB.voice_facts";
    const QUARTERS: &str = "SELECT toUInt64(sum(turns)) FROM DB.voice_15m";
    const HOURS: &str = "SELECT toUInt64(sum(turns)) FROM DB.voice_1h";
    for (number, broken) in ["voice_facts", "voice_15m", "voice_1h"].into_iter().enumerate() {
        let (token, block) = (format!("token {number}"), || block_of("voice_turn", number as u128));
        app.clickhouse
            .execute(&format!("ALTER TABLE half_told_analytics.{broken} ADD CONSTRAINT closed CHECK 0"))
            .await
            .unwrap();
        assert!(app.clickhouse.insert_block(table, &columns, block(), &token).await.is_err(), "{broken}");
        app.clickhouse
            .execute(&format!("ALTER TABLE half_told_analytics.{broken} DROP CONSTRAINT closed"))
            .await
            .unwrap();
        for _ in 0..3 {
            app.clickhouse.insert_block(table, &columns, block(), &token).await.unwrap();
        }
        let (raw, turns) = (counts(&app, RAW).await, number as u64 + 1);
        let told = (counts(&app, FACTS).await, counts(&app, QUARTERS).await, counts(&app, HOURS).await);
        assert_eq!((raw, told), (turns, (turns, turns, turns)), "{broken}");
    }
}

#[tokio::test]
async fn a_poisoned_row_is_a_dead_letter_and_its_neighbours_are_stored() {
    let app = TestApp::start("poisoned").await;
    // Something that ingestion did not foresee: the table refuses some rows.
    app.clickhouse
        .execute("ALTER TABLE poisoned_analytics.events ADD CONSTRAINT no_poison CHECK event != 'poison'")
        .await
        .unwrap();
    let mut events: Vec<_> = (0..200).map(|_| message("2026-02-01T10:00:00Z", &[])).collect();
    for place in [3, 4, 150] {
        events[place] = with(message("2026-02-01T10:00:00Z", &[]), json!({"event": "poison", "number": place}));
    }
    app.store(&events).await;
    assert_eq!((counts(&app, RAW).await, counts(&app, ROLLUP).await), (197, 197));
    let report = app.get("/api/v1/freshness").await;
    assert_eq!(report["tables"][0]["dead_letters"], 3);
    let letters: Vec<String> = app
        .clickhouse
        .fetch("SELECT concat(table_name, ' ', document, ' ', reason) FROM poisoned_analytics.dead_letters")
        .await
        .unwrap();
    assert!(
        letters
            .iter()
            .all(|letter| letter.starts_with("events {") && letter.contains("poison") && letter.contains("no_poison")),
        "{letters:#?}"
    );

    // Replayed once the reason is gone.
    let freshness = Arc::new(Freshness::new(app.clickhouse.clone()));
    let inserter = Inserter::new(app.clickhouse.clone(), freshness, Arc::new(Counters::default()));
    let letters = inserter.dead_letters().list(&account("poisoned")).await.unwrap();
    assert_eq!(letters.len(), 3);
    let row = |letter: &DeadLetter| letter.row().unwrap().unwrap();
    assert!(inserter.replay(&account("poisoned"), &letters[0], &row(&letters[0])).await.is_err());
    app.clickhouse.execute("ALTER TABLE poisoned_analytics.events DROP CONSTRAINT no_poison").await.unwrap();
    for letter in letters.iter().chain(&letters) {
        inserter.replay(&account("poisoned"), letter, &row(letter)).await.unwrap();
    }
    assert_eq!(counts(&app, RAW).await, 200);
    assert_eq!(inserter.dead_letters().list(&account("poisoned")).await.unwrap().len(), 0);
}

#[tokio::test]
async fn rows_that_a_view_refuses_are_not_inserted_twice() {
    let app = TestApp::start("refusing_view").await;
    app.clickhouse
        .execute("ALTER TABLE refusing_view_analytics.recommendations_15m ADD CONSTRAINT closed CHECK 0")
        .await
        .unwrap();
    let events = json!([message("2026-02-01T10:00:00Z", &[]), message("2026-02-01T10:00:00Z", &[])]);
    let response = app.post("/api/v1/events").bearer_auth(app.token()).json(&events).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 202);
    eventually(Duration::from_secs(60), || async { counts(&app, RAW).await == 2 }).await;
    // It is tried again meanwhile.
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!((counts(&app, RAW).await, counts(&app, ROLLUP).await), (2, 0));
    app.clickhouse
        .execute("ALTER TABLE refusing_view_analytics.recommendations_15m DROP CONSTRAINT closed")
        .await
        .unwrap();
    app.intake.settled().await;
    assert_eq!((counts(&app, RAW).await, counts(&app, ROLLUP).await, counts(&app, HOURLY).await), (2, 2, 2));
}

#[tokio::test]
async fn a_table_that_is_missing_is_waited_for() {
    let app = TestApp::start("missing_table").await;
    app.clickhouse
        .execute("RENAME TABLE missing_table_analytics.events TO missing_table_analytics.away")
        .await
        .unwrap();
    let response = app
        .post("/api/v1/events")
        .bearer_auth(app.token())
        .json(&message("2026-02-01T10:00:00Z", &[]))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 202);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(app.get("/api/v1/freshness").await["spool"]["rows"], 1);
    app.clickhouse
        .execute("RENAME TABLE missing_table_analytics.away TO missing_table_analytics.events")
        .await
        .unwrap();
    app.intake.settled().await;
    assert_eq!(counts(&app, RAW).await, 1);
}

/// How often the engine has refused an insert for too many parts.
async fn refusals(app: &TestApp) -> u64 {
    let sql = "SELECT toUInt64(sum(value)) FROM system.errors WHERE name = 'TOO_MANY_PARTS'";
    app.clickhouse.fetch::<u64>(sql).await.unwrap()[0]
}

#[tokio::test]
async fn too_many_parts_are_waited_out_in_the_table_and_in_those_of_its_views() {
    for table in ["events", "recommendations_15m"] {
        let app = TestApp::start(&format!("many_parts_of_{table}")).await;
        let table = format!("{}_analytics.{table}", app.account);
        for statement in [
            format!("SYSTEM STOP MERGES {table}"),
            format!("ALTER TABLE {table} MODIFY SETTING parts_to_throw_insert = 3"),
        ] {
            app.clickhouse.execute(&statement).await.unwrap();
        }
        let (mut accepted, before) = (0, refusals(&app).await);
        let mut waiting = Vec::new();
        while refusals(&app).await < before + 2 {
            let event = message("2026-02-01T10:00:00Z", &[]);
            let response = app.post("/api/v1/events").bearer_auth(app.token()).json(&event).send().await.unwrap();
            assert_eq!(response.status().as_u16(), 202);
            accepted += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
            waiting.push(app.get("/api/v1/freshness").await["spool"]["rows"].as_u64().unwrap());
        }
        assert!(waiting.last() > waiting.first() && waiting.last() > Some(&2), "the backlog grows: {waiting:?}");
        assert_eq!(counts(&app, "SELECT count() FROM DB.dead_letters").await, 0);
        for statement in [format!("SYSTEM START MERGES {table}"), format!("OPTIMIZE TABLE {table} FINAL")] {
            app.clickhouse.execute(&statement).await.unwrap();
        }
        app.intake.settled().await;
        let stored = (counts(&app, RAW).await, counts(&app, ROLLUP).await, counts(&app, HOURLY).await);
        assert_eq!(stored, (accepted, accepted, accepted), "{table}");
        assert_eq!(counts(&app, "SELECT count() FROM DB.dead_letters").await, 0);
    }
}
