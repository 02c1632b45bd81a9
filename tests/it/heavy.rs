//! Questions that are too heavy, that are too many, that are beyond a share, and that nobody waits for any more.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use chartwell::clickhouse::{Sql, Statement, Values};
use chartwell::config::QueryConfig;
use reqwest::{Response, StatusCode};
use tokio::net::TcpListener;

use crate::support::{TestApp, Via, account, clickhouse_with, engine, eventually, json_of, message, serve_engine};

/// Read from the rollup that `endless` takes the place of.
const ENDLESS: &str = "/api/v1/recommendations/funnel?datetime_from=2026-02-01&datetime_to=2026-02-01";
/// Read from another one.
const QUICK: &str = "/api/v1/recommendations/agents?datetime_from=2026-02-01&datetime_to=2026-02-01";

/// An application in which questions to the hourly rollup have no end of their own.
async fn endless(account: &str, change: impl FnOnce(&mut QueryConfig)) -> TestApp {
    let app = TestApp::start_with(account, Via::Pipe, |config| {
        config.query.query_cache = false;
        change(&mut config.query);
    })
    .await;
    let_be_endless(&app, account).await;
    app
}

async fn let_be_endless(app: &TestApp, account: &str) {
    app.store(&[message("2026-02-01T10:00:00Z", &[("gpt", 5, false)])]).await;
    let table = format!("{account}_analytics.recommendations_1h");
    for statement in [
        format!("RENAME TABLE {table} TO {table}_kept"),
        format!(
            // The table on the right is held in memory.
            "CREATE VIEW {table} AS SELECT kept.* FROM numbers(1000000000000) AS endless CROSS JOIN {table}_kept AS kept"
        ),
    ] {
        app.clickhouse.execute(&statement).await.unwrap();
    }
}

/// A server on which a statement runs on when its client is gone, as it does on ClickHouse.
async fn serve_that_runs_on() -> String {
    let (engine, client) = (serve_engine().await, reqwest::Client::new());
    let forward = move |request: Request| {
        let (mut parts, body) = request.into_parts();
        parts.headers.remove("content-length");
        let asked = client.request(parts.method, format!("{engine}{}", parts.uri)).headers(parts.headers);
        async move {
            let mut body = to_bytes(body, usize::MAX).await.unwrap();
            if let Some(sql) = std::str::from_utf8(&body).ok().filter(|sql| sql.contains("KILL QUERY")) {
                // The embedded engine gives ids of its own; those that it is given are in the comment.
                let known = "Settings['log_comment'] LIKE concat('%qid:', {id:String}, '.%')";
                body = sql.replace("query_id = {id:String}", known).into();
            }
            // In a task of its own, which is not dropped with the connection.
            let answered = tokio::spawn(async move {
                let response = asked.body(body).send().await.unwrap();
                let (status, headers) = (response.status(), response.headers().clone());
                (status, headers, response.bytes().await.unwrap())
            });
            let (status, mut headers, body) = answered.await.unwrap();
            headers.remove("transfer-encoding");
            (status, headers, body)
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(forward)).await.unwrap() });
    url
}

async fn ask(app: &TestApp, path: &str) -> Response {
    app.request(path).bearer_auth(app.token()).send().await.unwrap()
}

/// Status and code of a refusal, which must say when to come back where that helps.
async fn refusal(response: Response) -> (u16, String) {
    let status = response.status();
    assert_eq!(response.headers().contains_key("retry-after"), status == StatusCode::SERVICE_UNAVAILABLE, "{status}");
    (status.as_u16(), json_of(response).await["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_question_that_takes_too_much_memory_ends_and_the_program_serves_on() {
    let app = TestApp::start_with("heavy", Via::Pipe, |config| {
        config.query.query_memory_bytes = 1 << 20;
        config.query.query_cache = false;
    })
    .await;
    let rows = "INSERT INTO heavy_analytics.events (event_id, time_utc, event, agent_id, data, ingested_at) \
                SELECT generateUUIDv4(), toDateTime64('2026-02-01', 6, 'UTC') + number / 100, 'Send Message', toString(number), '{}', now64(6) FROM numbers(400000)";
    app.clickhouse.execute(rows).await.unwrap();
    let path =
        "/api/v1/recommendations/agents?datetime_from=2026-02-01&datetime_to=2026-02-01&filter=visitor_id:is_null";
    let response = app.request(path).bearer_auth(app.token()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(json_of(response).await["code"], "query_too_large");
    assert_eq!(app.request("/readyz").send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_question_that_takes_too_long_ends_and_the_program_serves_on() {
    let app = endless("too_long", |limits| limits.query_timeout_seconds = 1).await;
    assert_eq!(refusal(ask(&app, ENDLESS).await).await, (504, "query_timeout".to_owned()));
    assert_eq!(ask(&app, QUICK).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn questions_beyond_the_queue_are_told_to_come_back() {
    let app = endless("too_many", |limits| {
        limits.query_timeout_seconds = 3;
        limits.query_concurrency = 1;
        limits.query_queue = 1;
        limits.query_wait_seconds = 1;
    })
    .await;
    let later = async |milliseconds: u64| {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        (refusal(ask(&app, ENDLESS).await).await, Instant::now())
    };
    let (running, waiting, beyond) = tokio::join!(later(0), later(400), later(800));
    assert_eq!(running.0, (504, "query_timeout".to_owned()));
    assert_eq!(waiting.0, (503, "overloaded".to_owned()));
    assert_eq!(beyond.0, (503, "overloaded".to_owned()));
    // The queue was full, so the last was refused before the one that waited.
    assert!(beyond.1 < waiting.1 && waiting.1 < running.1);
    assert_eq!(ask(&app, QUICK).await.status(), StatusCode::OK);
}

/// With whether its threads are nice.
const PRIORITY: &str =
    "SELECT concat(toString(getSetting('priority')), ' ', toString(getSetting('os_threads_nice_value_query')))";

#[tokio::test]
async fn what_is_asked_far_beyond_a_share_is_nice_to_the_others() {
    let clickhouse = clickhouse_with(Via::Pipe, &QueryConfig { query_cache: false, ..QueryConfig::default() }).await;
    let ask = async |who: &str, sql: &'static str| {
        let (account, query_id) = (account(who), uuid::Uuid::new_v4().to_string());
        let (sql, values) = (Sql::constant(sql), Values::default());
        let statement = Statement { sql, values, template: "share.sql", account, query_id, data_version: 0 };
        clickhouse.rows::<String>(statement).await.unwrap().rows[0].clone()
    };
    assert_eq!(ask("share_loud", PRIORITY).await, "0 0", "nobody else asks");
    ask("share_loud", "SELECT toString(sleep(1))").await;
    assert_eq!(ask("share_quiet", PRIORITY).await, "1 0");
    let may_be_nice = engine().threads_may_yield();
    assert_eq!(ask("share_loud", PRIORITY).await, if may_be_nice { "2 19" } else { "2 0" });
    let is_seen = eventually(Duration::from_secs(10), || async { !may_be_nice || nicest_thread() == 19 });
    tokio::join!(ask("share_loud", "SELECT toString(sleep(1))"), is_seen);
}

/// The 17th field behind the name, which is in parentheses.
fn nicest_thread() -> i32 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let told = threads.filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("stat")).ok());
    told.map(|stat| stat.rsplit(')').next().unwrap().split_whitespace().nth(16).unwrap().parse().unwrap())
        .max()
        .unwrap()
}

#[tokio::test]
async fn a_client_that_hangs_up_takes_its_query_with_it() {
    goes_with_its_client(&endless("hung_up", |_| {}).await, "hung_up").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_takes_its_query_with_it_on_a_server_as_well() {
    let app =
        TestApp::start_at("hung_up_far", &serve_that_runs_on().await, |config| config.query.query_cache = false).await;
    let_be_endless(&app, "hung_up_far").await;
    goes_with_its_client(&app, "hung_up_far").await;
}

async fn goes_with_its_client(app: &TestApp, account: &str) {
    let account = account.replace('_', "\\_");
    let sql = format!(
        "SELECT toUInt64(count()) FROM system.processes WHERE query LIKE '%{account}\\_analytics.recommendations\\_1h%' AND query NOT LIKE '%system.processes%'"
    );
    let running = async || app.clickhouse.fetch::<u64>(&sql).await.unwrap() == [1];
    let request = app.request(ENDLESS).bearer_auth(app.token()).header("x-request-id", "hung-up-1").send();
    let asking = tokio::spawn(request);
    while !running().await {
        assert!(!asking.is_finished(), "it was answered");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    asking.abort();
    let hung_up = Instant::now();
    while running().await {
        assert!(hung_up.elapsed() < Duration::from_secs(15), "it runs on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
