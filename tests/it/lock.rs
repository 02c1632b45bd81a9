//! Locks: one of several instances has it, and who has it no more is told.

use std::time::Duration;

use chartwell::alerts::book::{Book, Message, Outcome};
use chartwell::clickhouse::ClickHouse;
use chartwell::config::QueryConfig;
use chartwell::migrations::{Lock, Target, Task, WATCH};
use chrono::Utc;
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::databases::migrate;
use crate::program::Program;
use crate::proxy::{Proxy, Way};
use crate::support::{Via, account, clickhouse, clickhouse_of, eventually, serve_engine, target};

/// A lock that is abandoned soon.
const BRIEF: Task = Task {
    name: "_brief_lock",
    heartbeat: Duration::from_millis(200),
    abandoned_after: Duration::from_secs(2),
    ask_again_after: Duration::from_millis(100),
    patience: Duration::MAX,
};
const LONG: Duration = Duration::from_secs(20);

/// A database for a lock.
async fn database(clickhouse: &ClickHouse, name: &str) -> Target {
    let target = target(name);
    let database = target.account.analytics_database();
    clickhouse.execute(&format!("CREATE DATABASE IF NOT EXISTS `{database}`")).await.unwrap();
    target
}

/// Whose the lock is; nobody's where there is none.
async fn owner(clickhouse: &ClickHouse, target: &Target, task: Task) -> Option<String> {
    let database = target.account.analytics_database();
    let sql = format!("SELECT comment FROM system.tables WHERE database = '{database}' AND name = '{}'", task.name);
    clickhouse.fetch::<String>(&sql).await.unwrap().pop()
}

async fn is_lost(lock: &Lock, within: Duration) -> bool {
    timeout(within, lock.lost()).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_renew_a_lock_has_lost_it_and_leaves_that_of_the_next_one_alone() {
    let direct = clickhouse(Via::Tcp).await;
    let target = database(&direct, "lock_away").await;
    let proxy = Proxy::start(&serve_engine().await).await;
    let behind = clickhouse_of(&[&proxy.url], &QueryConfig::default());
    let first = Lock::acquire(&behind, &target, BRIEF, false).await.unwrap();
    let waiting = Lock::acquire(&direct, &target, BRIEF, false);
    tokio::pin!(waiting);
    assert!(timeout(BRIEF.abandoned_after * 2, &mut waiting).await.is_err(), "the first one has it");
    assert!(!is_lost(&first, Duration::ZERO).await);

    proxy.set(Way::Silent);
    let losing = async { timeout(LONG, first.lost()).await.map(|()| Instant::now()).expect("it is told") };
    let taking = async { (timeout(LONG, &mut waiting).await.expect("it is taken over").unwrap(), Instant::now()) };
    let (lost, (second, had)) = tokio::join!(losing, taking);
    assert!(lost < had + Duration::from_secs(1), "for {:?} both believed to have it", lost - had);

    proxy.set(Way::Open);
    let of_second = owner(&direct, &target, BRIEF).await;
    timeout(LONG, first.release()).await.unwrap();
    assert_eq!(owner(&direct, &target, BRIEF).await, of_second);
    assert!(!is_lost(&second, BRIEF.heartbeat * 3).await);
    second.release().await;
    assert_eq!(owner(&direct, &target, BRIEF).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_lock_another_one_has_writes_nothing_into_it_and_stops() {
    let clickhouse = clickhouse(Via::Tcp).await;
    let target = database(&clickhouse, "lock_taken").await;
    let first = Lock::acquire(&clickhouse, &target, BRIEF, false).await.unwrap();
    // Whatever made it believe that the first one is gone.
    let seldom = Task { heartbeat: Duration::from_secs(3_600), ..BRIEF };
    let second = Lock::acquire(&clickhouse, &target, seldom, true).await.unwrap();
    assert!(is_lost(&first, BRIEF.heartbeat + Duration::from_secs(5)).await);
    let beats = format!("SELECT toUInt64(count()) FROM {}", target.table(BRIEF.name));
    assert_eq!(clickhouse.fetch::<u64>(&beats).await.unwrap(), [1]);
    drop(second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_of_a_release_without_owners_is_taken_over_by_one() {
    let clickhouse = clickhouse(Via::Tcp).await;
    let target = database(&clickhouse, "lock_of_before").await;
    let table = target.table(BRIEF.name);
    clickhouse
        .execute(&format!("CREATE TABLE {table} (beat DateTime) ENGINE = MergeTree ORDER BY beat"))
        .await
        .unwrap();
    clickhouse.execute(&format!("INSERT INTO {table} SELECT now()")).await.unwrap();
    let began = Instant::now();
    let acquire = || Box::pin(Lock::acquire(&clickhouse, &target, BRIEF, false));
    let (first, _, other) = timeout(LONG, futures::future::select_all([acquire(), acquire()])).await.unwrap();
    let first = first.unwrap();
    assert!(began.elapsed() >= BRIEF.abandoned_after - Duration::from_secs(1), "it was not abandoned yet");
    assert!(timeout(BRIEF.abandoned_after * 2, other.into_iter().next().unwrap()).await.is_err());
    assert!(!is_lost(&first, Duration::ZERO).await);
    first.release().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_was_made_without_an_answer_is_its_own() {
    let direct = clickhouse(Via::Tcp).await;
    let target = database(&direct, "lock_unanswered").await;
    let (engine, task) = (serve_engine().await, Task { name: "_unanswered_lock", ..WATCH });
    for _ in 0..4 {
        let broken = Proxy::start(&engine).await;
        let clickhouse = clickhouse_of(&[&broken.url, &engine], &QueryConfig::default());
        broken.set(Way::BreaksAnswers);
        let lock = timeout(LONG, Lock::acquire(&clickhouse, &target, task, false)).await;
        lock.expect("it does not wait for itself").unwrap().release().await;
        assert_eq!(owner(&direct, &target, task).await, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_has_lost_the_lock_stops_watching_until_it_has_it_again() {
    let clickhouse = clickhouse(Via::Tcp).await;
    let (name, url, folder) = ("lock_watching", serve_engine().await, tempfile::tempdir().unwrap());
    let target = target(name);
    migrate(&clickhouse, target.clone()).await;
    // Nobody listens there.
    let channel = "[channel.nowhere]\nurl = \"http://127.0.0.1:9/\"\nallow_private = true\n";
    let rule =
        "[[rule]]\nname = \"r\"\nmetric = \"assistants.runs\"\nwindow = \"1m\"\nabove = 1.0\nchannel = \"nowhere\"\n";
    let rules = folder.path().join("rules.toml");
    std::fs::write(&rules, format!("{channel}{rule}")).unwrap();
    let now = Utc::now();
    let message = Message {
        id: "alert-of-before".to_owned(),
        channel: "nowhere".to_owned(),
        body: json!({"text": "It fires."}),
        created_at: now,
        tries: 0,
        next_try: now,
        outcome: Outcome::Waiting,
        reason: None,
    };
    Book::new(clickhouse.clone()).note_messages(&account(name), &[&message]).await.unwrap();
    let settings = [("CHARTWELL_CLICKHOUSE_URL", url.as_str()), ("CHARTWELL_ALERTS", rules.to_str().unwrap())];
    let program = Program::start_with(folder.path(), name, &settings);
    let waiting = async |count: u8| {
        let metrics = reqwest::get(format!("{}/metrics", program.url)).await.unwrap().text().await.unwrap();
        metrics.contains(&format!("chartwell_alert_messages_waiting{{channel=\"nowhere\"}} {count}\n"))
    };
    eventually(LONG, || waiting(1)).await;
    let before = owner(&clickhouse, &target, WATCH).await;
    assert!(before.is_some());

    let other = Lock::acquire(&clickhouse, &target, WATCH, true).await.unwrap();
    eventually(LONG, || waiting(0)).await;
    assert!(program.log().contains("a lock is lost"), "{}", program.log());
    assert!(!is_lost(&other, Duration::ZERO).await);

    other.release().await;
    eventually(WATCH.ask_again_after + LONG, || waiting(1)).await;
    let again = owner(&clickhouse, &target, WATCH).await;
    assert!(again.is_some() && again != before);
}
