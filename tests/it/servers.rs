//! Several servers: whichever of them is away, questions are answered and rows are stored once.

use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use chartwell::clickhouse::{ClickHouse, Failure};
use chartwell::config::QueryConfig;
use clickhouse::Row;
use serde::Serialize;
use tokio::time::timeout;

use crate::proxy::{Proxy, Way};
use crate::standing_in::{forward, listen, read};
use crate::support::{SECRET, clickhouse_of, serve_engine};

#[derive(Row, Serialize)]
struct Number {
    n: u64,
}

async fn counted(clickhouse: &ClickHouse, table: &str) -> Vec<u64> {
    clickhouse.fetch::<u64>(&format!("SELECT arrayJoin([count(), uniqExact(n)]) FROM {table}")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_disturbed_in_any_way_is_not_noticed_beside_another() {
    let engine = serve_engine().await;
    let (first, second) = (Proxy::start(&engine).await, Proxy::start(&engine).await);
    let clickhouse = clickhouse_of(&[&first.url, &second.url], &QueryConfig::default());
    clickhouse.execute("DROP DATABASE IF EXISTS two_servers SYNC").await.unwrap();
    clickhouse.execute("CREATE DATABASE two_servers").await.unwrap();
    let table = "two_servers.numbers";
    clickhouse
        .execute(&format!(
            "CREATE TABLE {table} (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 1000"
        ))
        .await
        .unwrap();
    let mut stored = 0;
    for way in Way::DISTURBED {
        for disturbed in [&first, &second] {
            disturbed.set(way);
            for _ in 0..10 {
                // Far longer than it takes to find out, and shorter than a question waits for one server.
                let (rows, token) = ([Number { n: stored }], format!("token {stored}"));
                let insert = clickhouse.insert_rows(("two_servers", "numbers"), &rows, Some(&token));
                timeout(Duration::from_secs(25), insert).await.expect("it is told in time").unwrap();
                stored += 1;
                let asked = clickhouse.fetch::<u64>("SELECT toUInt64(sum(number)) FROM numbers(1000)");
                assert_eq!(
                    timeout(Duration::from_secs(25), asked).await.expect("it is told in time").unwrap(),
                    [499_500]
                );
            }
            disturbed.set(Way::Open);
        }
    }
    assert_eq!(counted(&clickhouse, table).await, [stored, stored]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_server_it_is_told_in_time_and_a_server_that_comes_back_is_asked_again() {
    let engine = serve_engine().await;
    let (first, second) = (Proxy::start(&engine).await, Proxy::start(&engine).await);
    let clickhouse = clickhouse_of(&[&first.url, &second.url], &QueryConfig::default());
    first.set(Way::Silent);
    second.set(Way::Closed);
    let asked = timeout(Duration::from_secs(25), clickhouse.fetch::<u8>("SELECT toUInt8(1)")).await;
    assert_eq!(asked.expect("it is told in time").unwrap_err().failure, Failure::Unavailable);
    second.set(Way::Open);
    let comes_back = async {
        while clickhouse.fetch::<u8>("SELECT toUInt8(1)").await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(25), comes_back).await.expect("it is found to be back");
}

/// Stands before the engine, and answers statements that contain a text as a server would that is in trouble.
struct Scripted {
    engine: String,
    answers: HashMap<&'static str, (StatusCode, &'static str)>,
    http: reqwest::Client,
}

impl Scripted {
    async fn start(answers: &[(&'static str, StatusCode, &'static str)]) -> String {
        let answers = answers.iter().map(|(text, status, answer)| (*text, (*status, *answer))).collect();
        let scripted = Arc::new(Self { engine: serve_engine().await, answers, http: reqwest::Client::new() });
        listen(Router::new().fallback(answer).with_state(scripted)).await
    }
}

async fn answer(State(scripted): State<Arc<Scripted>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = read(request).await;
    let statement = format!("{} {}", parts.uri, String::from_utf8_lossy(&body));
    for (text, (status, answer)) in &scripted.answers {
        if statement.contains(text) {
            return Response::builder().status(status).body(Body::from(*answer)).unwrap();
        }
    }
    forward(&scripted.http, &scripted.engine, parts, body).await
}

/// What `chartwell migrate` says in the end beside servers at these URLs.
async fn refused(urls: &str, settings: &[(&str, &str)]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_chartwell"));
    let folder = tempfile::tempdir().unwrap();
    program
        .args(["migrate"])
        .current_dir(folder.path())
        .env("CHARTWELL_JWT_SECRET", SECRET)
        .env("CHARTWELL_CLICKHOUSE_URL", urls)
        .env("CHARTWELL_CLICKHOUSE_PASSWORD", "a-password")
        .env("CHARTWELL_CLICKHOUSE_WAIT_SECONDS", "1")
        .env("CHARTWELL_LOG", "error")
        .envs(settings.iter().copied());
    let output = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(!error.contains("a-password"), "{error}");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_servers_at_the_start_is_one_clear_line() {
    let nobody = refused("http://127.0.0.1:9,http://127.0.0.1:10", &[("CHARTWELL_CLICKHOUSE_CLUSTER", "main")]).await;
    assert!(nobody.contains("ClickHouse at 127.0.0.1:9, 127.0.0.1:10 could not be used for 1 s"), "{nobody}");
    assert!(nobody.contains("(CHARTWELL_CLICKHOUSE_URL)"), "{nobody}");

    let denied = "Code: 516. DB::Exception: default: Authentication failed: password is incorrect, or there is no user with such name.\n\n(AUTHENTICATION_FAILED) (version 26.7.2.1)";
    let url = Scripted::start(&[("SELECT", StatusCode::FORBIDDEN, denied)]).await;
    let denied = refused(&url, &[]).await;
    assert!(denied.contains("does not let us in: ") && denied.contains("CHARTWELL_CLICKHOUSE_PASSWORD"), "{denied}");

    let url = serve_engine().await;
    let unknown = refused(&url, &[("CHARTWELL_CLICKHOUSE_CLUSTER", "mian")]).await;
    assert!(
        unknown.contains("knows no cluster `mian`") && unknown.contains("CHARTWELL_CLICKHOUSE_CLUSTER"),
        "{unknown}"
    );

    let lost = "Code: 999. Coordination::Exception: No node has a quorum (Connection loss). (KEEPER_EXCEPTION)";
    let url = Scripted::start(&[("system.zookeeper", StatusCode::INTERNAL_SERVER_ERROR, lost)]).await;
    let keeper = refused(&url, &[("CHARTWELL_CLICKHOUSE_CLUSTER", "one")]).await;
    assert!(keeper.contains("could not be used for 1 s") && keeper.contains("No node has a quorum"), "{keeper}");

    let other = Scripted::start(&[("", StatusCode::NOT_FOUND, "<html>not here</html>")]).await;
    let other = refused(&other, &[]).await;
    assert!(other.contains("could not be used for 1 s"), "{other}");

    for (urls, told) in [
        ("http://user:a-password@127.0.0.1:9", "names a user"),
        ("127.0.0.1:9", "a server is a URL like http://host:8123"),
        ("http://127.0.0.1:9,http://127.0.0.1:10", "without CHARTWELL_CLICKHOUSE_CLUSTER"),
    ] {
        let error = refused(urls, &[]).await;
        assert!(error.contains("CHARTWELL_CLICKHOUSE_URL") && error.contains(told), "{error}");
    }
    let quorum = refused("http://127.0.0.1:9", &[("CHARTWELL_CLICKHOUSE_INSERT_QUORUM", "most")]).await;
    assert!(quorum.contains("`most` is neither a number of replicas nor `auto`"), "{quorum}");
}
