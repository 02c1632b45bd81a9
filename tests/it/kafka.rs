//! Kafka: accepted rows go to topics, and the engine takes them off, each once; against a cluster that speaks
//! Kafka's protocol. `make kafka-check` does the same against a whole broker.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chartwell::clickhouse::Freshness;
use chartwell::ingest::{PriceBook, Reading, stored_row};
use chartwell::migrations::{Migrator, Target, migrations};
use chartwell::rows::Counters;
use chartwell::topics::Topics;
use chartwell::writer::Inserter;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{DefaultProducerContext, FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::databases::migrate;
use crate::program::Program;
use crate::support::{TestApp, Via, account, clickhouse, json_of, message, target, with};

/// The brokers to test against: a mock cluster of librdkafka, unless others are named.
struct Brokers {
    cluster: Option<MockCluster<'static, DefaultProducerContext>>,
    url: String,
}

impl Brokers {
    fn start() -> Self {
        match std::env::var("KAFKA_CHECK_BROKERS") {
            Ok(url) => Self { cluster: None, url },
            Err(_) => Self::mock(),
        }
    }

    fn mock() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        let url = cluster.bootstrap_servers();
        Self { cluster: Some(cluster), url }
    }
}

async fn start(brokers: &Brokers, name: &str) -> TestApp {
    // An account of its own in every run: a broker keeps its topics.
    let name = format!("{name}_{}", std::process::id());
    Topics::create(&brokers.url, &[account(&name)]).await.unwrap();
    let url = brokers.url.clone();
    TestApp::start_with(&name, Via::Pipe, move |config| config.ingest.kafka_brokers = Some(url)).await
}

async fn count(app: &TestApp, sql: &str) -> u64 {
    let sql = sql.replace("{db}", &format!("{}_analytics", app.account));
    app.clickhouse.fetch::<u64>(&sql).await.unwrap()[0]
}

/// Waits until a count is what it should be, and a moment longer, in case it grows.
#[track_caller]
fn counts<'a>(app: &'a TestApp, sql: &'a str, expected: u64) -> impl Future<Output = ()> + 'a {
    let place = std::panic::Location::caller();
    async move {
        let deadline = Instant::now() + Duration::from_secs(60);
        while count(app, sql).await < expected && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(count(app, sql).await, expected, "{sql} at {place}");
    }
}

async fn post(app: &TestApp, path: &str, body: &Value) -> (StatusCode, Value) {
    let response = app.post(path).bearer_auth(app.token()).json(body).send().await.unwrap();
    (response.status(), json_of(response).await)
}

fn events(numbers: std::ops::Range<u64>) -> Vec<Value> {
    numbers
        .map(|number| {
            let id = uuid::Uuid::from_u64_pair(7, number);
            with(message("2026-02-01T10:00:00.5Z", &[("gpt", 3, false)]), json!({"event_id": id, "user_id": "u1"}))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_every_table_reach_it_through_its_topic_once() {
    let brokers = Brokers::start();
    let app = start(&brokers, "kafka_rows").await;
    let (status, body) = post(&app, "/api/v1/events", &json!(events(0..500))).await;
    assert_eq!((status, body), (StatusCode::ACCEPTED, json!({"accepted": 500, "duplicates": 0, "rejected": []})));
    let (_, body) = post(&app, "/api/v1/events", &json!(events(400..600))).await;
    assert_eq!(body, json!({"accepted": 100, "duplicates": 100, "rejected": []}));
    let odd = json!({"event": "odd", "lists": [{"k": 1}, {"k": "t"}], "day": "2026-02-01", "n": 1.5, "deep": {"a": [true, "x"]}});
    assert_eq!(post(&app, "/api/v1/events", &odd).await.0, StatusCode::ACCEPTED);
    for body in [&include_bytes!("../data/otlp/openinference-0.pb")[..], include_bytes!("../data/otlp/trace.json")] {
        let content_type = if body[0] == b'{' { "application/json" } else { "application/x-protobuf" };
        let request = app.post("/v1/traces").bearer_auth(app.token()).header("content-type", content_type);
        assert_eq!(request.body(body).send().await.unwrap().status(), 200);
    }
    let product_event = json!({
        "name": "filter_changed", "org_id_hash": "0123456789abcdef0123456789abcdef", "schema_version": "v1", "session_id": "s-0123456789abcdef",
        "anonymous_user_id": "a-0123456789abcdef", "route_pattern": "/reports/:id", "payload": {"view": "runs", "filter_key": "model", "value_count": 3},
    });
    assert_eq!(post(&app, "/api/v1/product-events", &product_event).await.0, StatusCode::ACCEPTED);
    counts(&app, "SELECT count() FROM {db}.events", 601).await;
    counts(&app, "SELECT sum(messages) FROM {db}.recommendations_15m", 600).await;
    counts(&app, "SELECT count() FROM {db}.product_telemetry_events WHERE payload_json.value_count = 3", 1).await;

    // The same as without Kafka, column by column.
    let direct = TestApp::start(&format!("{}_direct", app.account)).await;
    for body in [&include_bytes!("../data/otlp/openinference-0.pb")[..], include_bytes!("../data/otlp/trace.json")] {
        let content_type = if body[0] == b'{' { "application/json" } else { "application/x-protobuf" };
        let request = direct.post("/v1/traces").bearer_auth(direct.token()).header("content-type", content_type);
        assert_eq!(request.body(body).send().await.unwrap().status(), 200);
    }
    direct.store(&events(0..1)).await;
    post(&direct, "/api/v1/events", &odd).await;
    direct.intake.settled().await;
    let spans = count(&direct, "SELECT count() FROM {db}.assistants_tracing_spans").await;
    counts(&app, "SELECT count() FROM {db}.assistants_tracing_spans", spans).await;
    let rows = async |app: &TestApp, what: &str| {
        let sql = format!("SELECT toJSONString(tuple({what}");
        let sql = sql.replace("{db}", &format!("{}_analytics", app.account));
        app.clickhouse.fetch::<String>(&sql).await.unwrap()
    };
    // Users are hashed with the salt of the account.
    for what in [
        "* EXCEPT (ingested_at, user_id_hash, attributes))) FROM {db}.assistants_tracing_spans ORDER BY start_time, span_id",
        "* EXCEPT (ingested_at, visitor_id))) FROM {db}.events WHERE event = 'Send Message' ORDER BY event_id LIMIT 1",
        "* EXCEPT (ingested_at, event_id, time_utc))) FROM {db}.events WHERE event = 'odd'",
    ] {
        assert_eq!(rows(&app, what).await, rows(&direct, what).await, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_twice_or_cannot_be_read_stops_nothing() {
    let brokers = Brokers::start();
    let app = start(&brokers, "kafka_twice").await;
    post(&app, "/api/v1/events", &json!(events(0..3))).await;
    counts(&app, "SELECT count() FROM {db}.events", 3).await;
    let producer: FutureProducer = ClientConfig::new().set("bootstrap.servers", &brokers.url).create().unwrap();
    let topic = format!("{}.events", app.account);
    let send = async |payload: String| {
        producer.send(FutureRecord::to(&topic).key("k").payload(&payload), Duration::from_secs(10)).await.unwrap();
    };
    let row = |number: u64, time: &str| {
        let id = uuid::Uuid::from_u64_pair(7, number);
        json!({"event_id": id, "time_utc": time, "event": "Send Message", "data": {"text_length": 1}, "ingested_at": time}).to_string()
    };
    // As after a crash between Kafka's answer and ours: the same rows, again and again.
    for number in [0, 1, 2, 3, 3, 4] {
        send(row(number, "2026-02-01 10:00:00.500000")).await;
    }
    send("{\"event_id\":".to_owned()).await;
    send(row(5, "2026-02-01 10:00:00.500000").replace(":1}", ":\"many\"}")).await;
    send(row(6, "2026-02-02 10:00:00.500000")).await;
    counts(&app, "SELECT count() FROM {db}.events", 6).await;
    counts(&app, "SELECT sum(messages) FROM {db}.recommendations_15m", 6).await;
    counts(
        &app,
        "SELECT count() FROM {db}.dead_letters WHERE table_name = 'events' AND reason != '' AND document != ''",
        2,
    )
    .await;
    for (number, expected) in [(0, 1), (3, 1), (4, 1), (6, 1)] {
        let id = uuid::Uuid::from_u64_pair(7, number);
        let sql = format!("SELECT count() FROM {{db}}.events WHERE event_id = '{id}'");
        assert_eq!(count(&app, &sql).await, expected, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brokers_that_are_away_are_503_and_nothing_is_lost_or_doubled() {
    let brokers = Brokers::mock();
    let cluster = brokers.cluster.as_ref().unwrap();
    let app = start(&brokers, "kafka_away").await;
    assert_eq!(post(&app, "/api/v1/events", &json!(events(0..10))).await.0, StatusCode::ACCEPTED);
    cluster.broker_down(1).unwrap();
    let started = Instant::now();
    let request = app.post("/api/v1/events").bearer_auth(app.token()).json(&events(10..20));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    let body = json_of(response).await;
    assert_eq!(body["code"], "ingestion_unavailable");
    assert!(!body.to_string().contains(&brokers.url), "{body}");
    assert!(started.elapsed() < Duration::from_secs(40));
    cluster.broker_up(1).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while post(&app, "/api/v1/events", &json!(events(10..20))).await.0 != StatusCode::ACCEPTED {
        assert!(Instant::now() < deadline, "it goes on");
    }
    // The engine's own consumer finds its way back as well, and takes most of a minute for it.
    let ids = in_topic(&brokers, &format!("{}.events", app.account), 20).await;
    assert_eq!(ids.len(), 20);
}

/// The keys of a topic, once there are so many of them.
async fn in_topic(brokers: &Brokers, topic: &str, expected: usize) -> BTreeSet<Vec<u8>> {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", &brokers.url)
        .set("group.id", "test")
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let mut keys = BTreeSet::new();
    while keys.len() < expected {
        let message = tokio::time::timeout(Duration::from_secs(60), consumer.recv()).await;
        keys.insert(message.expect("there are more messages").unwrap().key().unwrap().to_vec());
    }
    keys
}

#[test]
fn brokers_that_cannot_be_reached_are_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    for (brokers, expected) in [
        ("127.0.0.1:1", "Kafka at 127.0.0.1:1 cannot be used"),
        ("kafka", "CHARTWELL_KAFKA_BROKERS is not a list like kafka-1:9092,kafka-2:9092"),
    ] {
        let started = Instant::now();
        let log = Program::try_start(folder.path(), "demo", &[("CHARTWELL_KAFKA_BROKERS", brokers)]).err().unwrap();
        assert!(log.contains(expected), "{log}");
        assert!(started.elapsed() < Duration::from_secs(40));
    }
}

#[tokio::test]
async fn what_reads_from_kafka_is_made_anew_only_when_it_has_changed() {
    let clickhouse = clickhouse(Via::Pipe).await;
    let migrations = migrations().unwrap();
    let migrator = |brokers: &str| Migrator {
        clickhouse: &clickhouse,
        target: Target { kafka_brokers: Some(brokers.to_owned()), ..target("kafka_align") },
        migrations: &migrations,
        is_alone: true,
        may_shorten_retention: false,
    };
    migrate(&clickhouse, target("kafka_align")).await;
    let (first, second) = ("127.0.0.1:1", "127.0.0.1:2");
    let pending = migrator(first).dry_run().await.unwrap();
    let of_events = pending.iter().filter(|(file, _)| file == "kafka: events").map(|(_, statement)| statement.as_str());
    insta::assert_snapshot!(of_events.collect::<Vec<_>>().join("\n\n"));
    let made = async || {
        let sql = "SELECT toString(metadata_modification_time) || comment FROM system.tables \
                   WHERE database = 'kafka_align_analytics' AND name = 'events_queue_view'";
        clickhouse.fetch::<String>(sql).await.unwrap()
    };
    migrator(first).run().await.unwrap();
    let before = made().await;
    assert_eq!(migrator(first).dry_run().await.unwrap(), []);
    migrator(first).run().await.unwrap();
    assert_eq!(made().await, before);
    migrator(second).run().await.unwrap();
    assert_ne!(made().await, before);
    // Without brokers it stays: what is on the topics is read to its end.
    migrate(&clickhouse, target("kafka_align")).await;
    assert_eq!(made().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spread_of_dates_stops_nothing() {
    let brokers = Brokers::start();
    let app = start(&brokers, "kafka_dates").await;
    let spread: Vec<Value> = (0..240)
        .map(|month| {
            let time = format!("{}-{:02}-03T00:00:00Z", 2004 + month / 12, month % 12 + 1);
            with(message(&time, &[]), json!({"event_id": uuid::Uuid::from_u64_pair(8, month)}))
        })
        .collect();
    assert_eq!(post(&app, "/api/v1/events", &json!(spread)).await.0, StatusCode::ACCEPTED);
    assert_eq!(post(&app, "/api/v1/events", &json!(events(0..10))).await.0, StatusCode::ACCEPTED);
    let rows_and_letters = "SELECT count() + assumeNotNull((SELECT count() FROM {db}.dead_letters)) FROM {db}.events";
    counts(&app, rows_and_letters, 250).await;
    // The oldest months wait to be replayed.
    let name = app.account.as_str();
    let freshness = Arc::new(Freshness::new(app.clickhouse.clone()));
    let inserter = Inserter::new(app.clickhouse.clone(), freshness, Arc::new(Counters::default()));
    let letters = inserter.dead_letters().list(&account(name)).await.unwrap();
    assert!((1..=151).contains(&letters.len()), "{letters:?}");
    let reading = Reading { now: chrono::Utc::now(), retention_days: 0, salt: "" };
    for letter in &letters[..3] {
        let row = stored_row(letter.table().unwrap(), &letter.document, reading, &PriceBook::built_in()).unwrap();
        inserter.replay(&account(name), letter, &row).await.unwrap();
    }
    let stored = 250 - letters.len() as u64 + 3;
    counts(&app, "SELECT count() FROM {db}.events", stored).await;
    counts(&app, "SELECT sum(messages) FROM {db}.recommendations_15m", stored).await;
}
