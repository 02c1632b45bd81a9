//! The HTTP edge: errors of every kind, headers, slow clients, and how the program stops.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::program::Program;
use crate::support::{TestApp, Via, claims, json_of, sign};

const QUESTION: &str = "/api/v1/recommendations/totals";

#[tokio::test]
async fn every_error_is_a_problem() {
    let app = TestApp::start("problems").await;
    let http = reqwest::Client::new();
    for (method, path, status, code) in [
        (Method::GET, "/nothing", 404_u16, "not_found"),
        (Method::GET, "/api/v1/nothing", 404, "not_found"),
        (Method::DELETE, QUESTION, 405, "method_not_allowed"),
        (Method::POST, QUESTION, 405, "method_not_allowed"),
        (Method::GET, "/api/v1/events", 405, "method_not_allowed"),
        (Method::GET, QUESTION, 401, "invalid_token"),
        (Method::GET, "/%ff%00", 404, "not_found"),
    ] {
        let request = http.request(method.clone(), format!("{}{path}", app.url)).header("x-request-id", "mine-1");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{method} {path}");
        assert_eq!(response.headers()["x-request-id"], "mine-1");
        let body = json_of(response).await;
        assert_eq!(
            (body["code"].as_str(), body["status"].as_u64()),
            (Some(code), Some(u64::from(status))),
            "{method} {path}"
        );
        assert_eq!(body["type"], format!("urn:chartwell:problem:{code}"));
        assert_eq!((body["request_id"].as_str(), body["instance"].as_str()), (Some("mine-1"), Some(path)));
        assert!(!body["title"].as_str().unwrap().is_empty() && !body["detail"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_unacceptable_answer_is_refused_before_it_is_looked_up() {
    let app = TestApp::start("unacceptable").await;
    let response =
        app.request(QUESTION).bearer_auth(app.token()).header("accept", "application/xml").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_ACCEPTABLE);
    assert_eq!(json_of(response).await["code"], "not_acceptable");
}

#[tokio::test]
async fn a_request_id_is_accepted_when_it_is_decent_and_made_when_it_is_not() {
    let app = TestApp::start("request_ids").await;
    let id_for = async |given: Option<&str>| {
        let request = app.request(QUESTION).bearer_auth(app.token());
        let request = match given {
            Some(given) => request.header("x-request-id", given),
            None => request,
        };
        let response = request.send().await.unwrap();
        let header = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        (header, json_of(response).await["meta"]["query_id"].as_str().unwrap().to_owned())
    };
    assert_eq!(id_for(Some("abc-123")).await, ("abc-123".to_owned(), "abc-123".to_owned()));
    for indecent in [None, Some(""), Some("a b"), Some("x';DROP"), Some(&"y".repeat(200))] {
        let (header, _) = id_for(indecent).await;
        assert!(uuid::Uuid::try_parse(&header).is_ok(), "{header}");
    }
}

#[tokio::test]
async fn responses_carry_security_headers_and_cors_for_known_origins_alone() {
    let app = TestApp::start_with("headers", Via::Pipe, |config| {
        config.server.cors_origins = vec!["https://studio.example".to_owned()];
    })
    .await;
    let response = app.request("/healthz").header("origin", "https://studio.example").send().await.unwrap();
    let headers = response.headers();
    assert_eq!(headers["access-control-allow-origin"], "https://studio.example");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-frame-options"], "DENY");
    assert!(headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let response = app.request("/healthz").header("origin", "https://evil.example").send().await.unwrap();
    assert!(!response.headers().contains_key("access-control-allow-origin"));
    let preflight = reqwest::Client::new()
        .request(Method::OPTIONS, format!("{}{QUESTION}", app.url))
        .header("origin", "https://studio.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), StatusCode::OK);
    assert!(preflight.headers()["access-control-allow-headers"].to_str().unwrap().contains("authorization"));
}

#[tokio::test]
async fn docs_page_and_metrics_are_served_from_here() {
    let app = TestApp::start("pages").await;
    let text = async |path: &str| {
        let response = app.request(path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.text().await.unwrap()
    };
    assert!(text("/docs/").await.contains("swagger-ui"));
    assert!(text("/openapi.json").await.contains("\"3.1.0\""));
    app.get(QUESTION).await;
    let metrics = text("/metrics").await;
    assert!(metrics.contains("chartwell_query_seconds_count{template=\"recommendations/totals.sql\"}"), "{metrics}");
    assert!(metrics.contains("chartwell_query_rows_read_total{template=\"recommendations/totals.sql\"}"), "{metrics}");
    assert!(metrics.contains("chartwell_request_seconds_bucket{route=\"/api/v1/recommendations/totals\""), "{metrics}");
    assert_eq!(text("/readyz").await, r#"{"status":"ready","accounts":[{"account":"pages","ready":true}]}"#);
}

/// A page of the studio, as a browser asks for it.
async fn page_of(app: &TestApp, path: &str) -> reqwest::Response {
    app.request(path).header("accept", "text/html,application/xhtml+xml;q=0.9").send().await.unwrap()
}

#[tokio::test]
async fn the_studio_is_at_each_of_its_addresses_and_lets_nothing_in_from_elsewhere() {
    let app = TestApp::start("studio").await;
    let mut nonces = HashSet::new();
    for path in chartwell::studio::PAGES {
        let response = page_of(&app, path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let headers = response.headers().clone();
        assert_eq!(headers["cache-control"], "no-store");
        let policy = headers["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let html = response.text().await.unwrap();
        assert!(html.contains(&format!("nonce=\"{nonce}\"")) && !html.contains("{{"), "{html}");
        assert!(!html.contains("http://") && !html.contains("https://"), "{html}");
        assert!(nonces.insert(nonce), "a number serves once");
    }
}

#[tokio::test]
async fn who_goes_where_nothing_is_learns_that_from_the_studio_and_programs_from_a_problem() {
    let app = TestApp::start("nowhere").await;
    let page = page_of(&app, "/nowhere").await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let of_api = page_of(&app, "/api/v1/nowhere").await;
    for response in [of_api, app.request("/nowhere").send().await.unwrap(), page_of(&app, "/assets/nothing.js").await] {
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(json_of(response).await["code"], "not_found");
    }
}

#[tokio::test]
async fn an_account_whose_tables_are_gone_is_not_ready_and_says_why() {
    let app = TestApp::start("not_ready").await;
    app.clickhouse.execute("DROP DATABASE not_ready_analytics SYNC").await.unwrap();
    let response = app.request("/readyz").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        json_of(response).await,
        json!({"status": "not ready", "accounts": [{"account": "not_ready", "ready": false, "reason": "engine_unavailable"}]})
    );
    let response = app.request(QUESTION).bearer_auth(app.token()).send().await.unwrap();
    assert_eq!(
        (response.status(), response.headers()["retry-after"].to_str().unwrap()),
        (StatusCode::SERVICE_UNAVAILABLE, "5")
    );
    let problem = json_of(response).await;
    assert_eq!(problem["code"], "engine_unavailable");
    assert!(!problem.to_string().contains("_analytics") && !problem.to_string().contains("Code:"), "{problem}");
}

/// Whether the server closes a connection on which this was sent, and after how long.
async fn closed_after(url: &str, sent: &[u8], patience: Duration) -> Option<Duration> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let started = Instant::now();
    let mut rest = Vec::new();
    let read = tokio::time::timeout(patience, stream.read_to_end(&mut rest)).await;
    read.is_ok().then(|| started.elapsed())
}

#[tokio::test]
async fn a_burst_of_connections_waits_to_be_accepted() {
    let listener = chartwell::http::listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let connecting = (0..400).map(|_| tokio::time::timeout(Duration::from_secs(10), TcpStream::connect(address)));
    let connected = futures::future::join_all(connecting).await;
    assert!(connected.iter().all(|connected| matches!(connected, Ok(Ok(_)))), "the system has forgotten some");
    for _ in 0..400 {
        tokio::time::timeout(Duration::from_secs(10), listener.accept()).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_half_open_connections_are_closed_within_ten_seconds() {
    let app = TestApp::start("half_open").await;
    let sent: [&[u8]; 4] = [b"", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"PRI * HTTP/2.0\r\n"];
    let waiting = (0..300).map(|number| closed_after(&app.url, sent[number % 4], Duration::from_secs(12)));
    let closed = futures::future::join_all(waiting).await;
    let is_late = |after: &Option<Duration>| after.is_none_or(|after| after >= Duration::from_secs(10));
    let late: Vec<_> = closed.iter().enumerate().filter(|(_, after)| is_late(after)).collect();
    assert!(late.is_empty(), "{late:?}, the last of the others after {:?}", closed.iter().max());
    assert_eq!(app.request("/healthz").send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_stalls_is_given_up_and_an_idle_connection_is_not_yet() {
    let app = TestApp::start("stalled").await;
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[",
        app.token()
    );
    let idle = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let (stalled, idle) = tokio::join!(
        closed_after(&app.url, head.as_bytes(), Duration::from_secs(14)),
        closed_after(&app.url, idle, Duration::from_secs(14)),
    );
    assert!(stalled.is_some_and(|after| after > Duration::from_secs(9)), "{stalled:?}");
    assert_eq!(idle, None);
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_for_one_that_closes() {
    let app = TestApp::start_with("capped", Via::Pipe, |config| config.server.max_connections = 2).await;
    let address = app.url.trim_start_matches("http://").to_owned();
    let held = [TcpStream::connect(&address).await.unwrap(), TcpStream::connect(&address).await.unwrap()];
    tokio::time::sleep(Duration::from_millis(100)).await;
    let waiting = tokio::spawn({
        let url = format!("{}/healthz", app.url);
        async move { reqwest::get(url).await.unwrap().status() }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    drop(held);
    assert_eq!(waiting.await.unwrap(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_breaks_no_accepted_request_and_ends_within_five_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path(), "stopped");
    let token = sign(&claims("stopped"));
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (client, token, url) = (client.clone(), token.clone(), program.url.clone());
        tasks.spawn(async move {
            let mut answered = 0;
            loop {
                let request =
                    client.get(format!("{url}/api/v1/recommendations/totals?range=7d&nocache")).bearer_auth(&token);
                match request.send().await {
                    // A refused connection was not accepted; anything else must be a whole answer.
                    Err(error) if error.is_connect() => return (answered, None),
                    Err(error) => return (answered, Some(format!("{error:?}"))),
                    Ok(response) => {
                        if let Err(error) = response.bytes().await {
                            return (answered, Some(error.to_string()));
                        }
                        answered += 1;
                    }
                }
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    let stopping = Instant::now();
    program.signal("-TERM");
    let status = tokio::task::spawn_blocking(move || program.wait()).await.unwrap();
    assert!(stopping.elapsed() < Duration::from_secs(5), "{:?}", stopping.elapsed());
    assert_eq!(status.code(), Some(0));
    let outcomes = tasks.join_all().await;
    assert!(outcomes.iter().all(|(answered, _)| *answered > 0));
    let broken: Vec<&String> = outcomes.iter().filter_map(|(_, error)| error.as_ref()).collect();
    assert!(broken.is_empty(), "{broken:?}");
}
