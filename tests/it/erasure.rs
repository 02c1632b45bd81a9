//! Erasure of a visitor: nothing of them is left anywhere, and everything of others is.

use chartwell::clickhouse::{ClickHouse, Values};
use chartwell::erasure::{Erasure, Receipt};
use chartwell::ingest::hashed;
use chartwell::migrations::salt;
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

/// Erases a visitor in one pass.
async fn erased(app: &TestApp, visitor: &str, is_dry_run: bool) -> Receipt {
    let account = account(&app.account);
    let salt = salt(&app.clickhouse, &account).await.unwrap();
    let mut erasure = Erasure::new(&app.clickhouse, &account, &salt, visitor, is_dry_run);
    erasure.pass().await.unwrap();
    erasure.receipt(true)
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

    let counted = erased(&app, "jane-4711", true).await;
    assert!(!places(&app.clickhouse, database, &hers).await.is_empty());
    let receipt = erased(&app, "jane-4711", false).await;
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
    let again = erased(&app, "jane-4711", false).await;
    assert!(again.rows.values().all(|rows| *rows == 0), "{again:?}");
    let nobody = erased(&app, "'; DROP TABLE events --", false).await;
    assert!(nobody.rows.values().all(|rows| *rows == 0), "{nobody:?}");
    let results = app
        .get("/api/v1/experiments/x/results?goal_event=purchase&datetime_from=2026-01-01&datetime_to=2026-03-01")
        .await;
    assert_eq!(results["metrics"][0]["variants"][0]["units"], 1);
}

/// How many spans there are of each trace.
async fn spans_left(app: &TestApp) -> Vec<(String, u64)> {
    let sql = format!(
        "SELECT name, toUInt64(count()) FROM {}_analytics.assistants_tracing_spans GROUP BY name ORDER BY name",
        app.account
    );
    app.clickhouse.fetch(&sql).await.unwrap()
}

#[tokio::test]
async fn spans_of_a_trace_go_with_the_one_that_names_the_visitor() {
    let app = TestApp::start("erased_traces").await;
    let start: DateTime<Utc> = "2026-02-01T10:00:00Z".parse().unwrap();
    let named = |name: &str, trace: u64, number: u64, attributes: Value| {
        with(span(trace, number, start, 900, &attributes), json!({"name": name}))
    };
    // Children come first, in an export of their own: they know neither whose they are nor the conversation.
    let child = json!({"gen_ai.operation.name": "chat", "gen_ai.input.messages": "words"});
    app.store_spans(&[named("hers", 1, 1, child.clone()), named("shared", 2, 1, child.clone())]).await;
    app.store_spans(&[named("his", 3, 1, child.clone())]).await;
    let jane = json!({"user.id": "jane", "gen_ai.conversation.id": "c"});
    app.store_spans(&[named("hers", 1, 0, jane.clone()), named("shared", 2, 0, json!({"user.id": "jane"}))]).await;
    app.store_spans(&[named("shared", 2, 2, json!({"user.id": "joe"})), named("his", 3, 0, json!({"user.id": "joe"}))])
        .await;
    let account = account("erased_traces");
    let salt = salt(&app.clickhouse, &account).await.unwrap();
    let counted = erased(&app, "jane", true).await;
    let mut erasure = Erasure::new(&app.clickhouse, &account, &salt, "jane", false);
    erasure.pass().await.unwrap();
    // Of the one that names others as well, only the span that names her.
    assert_eq!(spans_left(&app).await, [("his".to_owned(), 2), ("shared".to_owned(), 2)]);
    // What comes in late, of her trace and her conversation, is known to be hers though nothing says so any more.
    app.store_spans(&[
        named("hers", 1, 2, child),
        named("hers", 4, 0, json!({"gen_ai.conversation.id": "c"})),
        named("unknown", 5, 0, json!({})),
    ])
    .await;
    erasure.pass().await.unwrap();
    let left = [("his".to_owned(), 2), ("shared".to_owned(), 2), ("unknown".to_owned(), 1)];
    assert_eq!(spans_left(&app).await, left);
    let receipt = erasure.receipt(false);
    assert_eq!((receipt.rows["assistants_tracing_spans"], receipt.complete), (5, false));
    // One that is hers in more than one way is counted once.
    assert_eq!(counted.rows["assistants_tracing_spans"], 3);
}

#[tokio::test]
async fn dead_letters_go_by_their_fields() {
    let app = TestApp::start("erased_letters").await;
    let account = account("erased_letters");
    let salt = salt(&app.clickhouse, &account).await.unwrap();
    let odd = r#"a"b\c/d"#;
    let letters = |visitor: &str| {
        let hash = hashed(visitor, &salt);
        let document = json!({"event_id": "x", "visitor_id": visitor, "data": {}}).to_string();
        [
            document.clone(),
            json!({"user_id_hash": hash, "trace_id": "1"}).to_string(),
            json!({"user_id": visitor, "n": 1}).to_string(),
            // As the engine writes it, spaced, and broken off.
            document.replace('/', "\\/"),
            document.replace(':', " : "),
            document.strip_suffix("}}").unwrap().to_owned(),
            document.replace('/', "\\/").strip_suffix("}}").unwrap().to_owned(),
        ]
    };
    let strangers = [
        json!({"visitor_id": "77", "data": {"text_length": 7}, "trace_id": "7"}).to_string(),
        json!({"visitor_id": "17", "note": r#""visitor_id":"7""#}).to_string(),
        r#"{"visitor_id":"70","n":7"#.to_owned(),
        "not JSON at all, 7".to_owned(),
    ];
    let mut documents: Vec<String> = [letters("7"), letters(odd)].concat();
    documents.push(json!({"user_id": 7}).to_string());
    documents.extend(strangers.clone());
    for document in &documents {
        let sql = "INSERT INTO erased_letters_analytics.dead_letters (dead_letter_id, document) SELECT generateUUIDv7(), {document:String}";
        let mut values = Values::default();
        values.set("document", chartwell::clickhouse::Value::Text(document.clone()));
        app.clickhouse.execute_of(sql, &values).await.unwrap();
    }
    let left = async || {
        let sql = "SELECT document FROM erased_letters_analytics.dead_letters ORDER BY document";
        app.clickhouse.fetch::<String>(sql).await.unwrap()
    };
    assert_eq!(erased(&app, "7", false).await.rows["dead_letters"], 8);
    assert_eq!(left().await.len(), documents.len() - 8);
    assert_eq!(erased(&app, odd, false).await.rows["dead_letters"], 7);
    let mut strangers = strangers.to_vec();
    strangers.sort();
    assert_eq!(left().await, strangers);
}
