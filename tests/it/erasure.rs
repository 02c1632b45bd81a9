//! Erasure of a visitor: nothing of them is left anywhere, and everything of others is.

use chartwell::clickhouse::ClickHouse;
use chartwell::erasure::{Erasure, Receipt};
use chartwell::ingest::{hashed, salt};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use crate::support::{TestApp, account, span, with};

/// Where a text stands: each column of each table that has it, with how many rows.
async fn places(clickhouse: &ClickHouse, database: &str, text: &str) -> Vec<String> {
    let tables: Vec<Vec<String>> = clickhouse
        .fetch(&format!(
            "SELECT arrayPushFront(groupArray(name), table) FROM system.columns WHERE database = '{database}' AND default_kind != 'ALIAS'
             AND NOT startsWith(type, 'AggregateFunction') AND table NOT LIKE '%_view' GROUP BY table ORDER BY table"
        ))
        .await
        .unwrap();
    let mut places = Vec::new();
    for table in tables {
        let (table, columns) = table.split_first().unwrap();
        let count =
            |column: &String| format!("toUInt64(countIf(position(ifNull(toString(`{column}`), ''), '{text}') > 0))");
        let counts = columns.iter().map(count).collect::<Vec<_>>().join(", ");
        let rows = clickhouse.fetch::<Vec<u64>>(&format!("SELECT [{counts}] FROM {database}.{table}")).await.unwrap();
        let found = columns.iter().zip(&rows[0]).filter(|(_, rows)| **rows > 0);
        places.extend(found.map(|(column, rows)| format!("{table}.{column} {rows}")));
    }
    places
}

fn event(visitor: Value, conversation: &str, name: &str, time: DateTime<Utc>, data: Value) -> Value {
    with(
        json!({"event": name, "time_utc": time.to_rfc3339(), "conversation_id": conversation, "profile_code": "p", "data": data}),
        visitor,
    )
}

#[tokio::test]
async fn nothing_of_a_visitor_is_left_and_all_of_others() {
    let app = TestApp::start("erasure").await;
    let account = account("erasure");
    let start: DateTime<Utc> = "2026-02-01T10:00:00Z".parse().unwrap();
    let (jane, joe) = (json!({"user_id": "jane-4711"}), json!({"user_id": "joe-4712"}));
    let exposure = json!({"experiment_id": "x", "variant": "A"});
    let mut events = Vec::new();
    for (number, (who, conversation)) in
        [(&jane, "hers"), (&jane, "theirs"), (&joe, "theirs"), (&joe, "his")].into_iter().enumerate()
    {
        let at = |minute: i64| start + Duration::minutes(10 * number as i64 + minute);
        events.push(event(who.clone(), conversation, "exposure", at(0), exposure.clone()));
        events.push(event(who.clone(), conversation, "purchase", at(1), json!({"price": 3})));
    }
    app.store(&events).await;
    let talk = |conversation: &str| json!({"gen_ai.conversation.id": conversation, "gen_ai.operation.name": "chat", "gen_ai.input.messages": format!("words of {conversation}")});
    let named = |conversation: &str, user: &str| with(talk(conversation), json!({"user.id": user}));
    app.store_spans(&[
        span(1, 0, start, 900, &talk("hers")),
        span(2, 0, start, 900, &talk("theirs")),
        span(3, 0, start, 900, &talk("his")),
        span(4, 0, start, 900, &named("elsewhere", "jane-4711")),
        span(5, 0, start, 900, &named("elsewhere", "joe-4712")),
    ])
    .await;

    let database = "erasure_analytics";
    let salt = salt(&app.clickhouse, &account).await.unwrap();
    let (hers, his) = (hashed("jane-4711", &salt), hashed("joe-4712", &salt));
    let unit = async |hash: &str| {
        let sql = format!("SELECT toString(cityHash64('{hash}'))");
        app.clickhouse.fetch::<String>(&sql).await.unwrap().remove(0)
    };
    let (her_unit, his_unit) = (unit(&hers).await, unit(&his).await);
    let of_others = (places(&app.clickhouse, database, &his).await, places(&app.clickhouse, database, &his_unit).await);
    assert!(of_others.0.len() >= 3 && of_others.1.len() >= 2, "{of_others:?}");
    assert!(!places(&app.clickhouse, database, "words of hers").await.is_empty());

    let erasure =
        |is_dry_run: bool| Erasure { clickhouse: &app.clickhouse, account: &account, salt: &salt, is_dry_run };
    let counted = erasure(true).erase("jane-4711").await.unwrap();
    assert!(!places(&app.clickhouse, database, &hers).await.is_empty());
    let receipt: Receipt = erasure(false).erase("jane-4711").await.unwrap();
    assert_eq!(receipt.rows["events"], 4);
    // The one of her conversation, and the one that names her.
    assert_eq!((receipt.rows["assistants_tracing_spans"], receipt.conversations), (2, 1));
    assert_eq!((receipt.rows["experiment_units"], receipt.rows["experiment_conversations"]), (1, 2));
    assert_eq!((&counted.rows, &counted.visitor_sha256), (&receipt.rows, &hers));

    for text in [hers.as_str(), "jane-4711", her_unit.as_str(), "words of hers"] {
        assert_eq!(places(&app.clickhouse, database, text).await, [] as [&str; 0], "{text}");
    }
    assert_eq!(places(&app.clickhouse, database, &his).await, of_others.0);
    assert_eq!(places(&app.clickhouse, database, &his_unit).await, of_others.1);
    for kept in ["words of theirs", "words of his", "elsewhere"] {
        assert!(!places(&app.clickhouse, database, kept).await.is_empty(), "{kept}");
    }
    let again = erasure(false).erase("jane-4711").await.unwrap();
    assert!(again.rows.values().all(|rows| *rows == 0), "{again:?}");
    let nobody = erasure(false).erase("'; DROP TABLE events --").await.unwrap();
    assert!(nobody.rows.values().all(|rows| *rows == 0), "{nobody:?}");
    let results = app
        .get("/api/v1/experiments/x/results?goal_event=purchase&datetime_from=2026-01-01&datetime_to=2026-03-01")
        .await;
    assert_eq!(results["metrics"][0]["variants"][0]["units"], 1);
}
