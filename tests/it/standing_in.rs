//! What stands in for a cluster: the engine, and before it what a server does that it does not do. Statements
//! `ON CLUSTER` run once, tables that would be Replicated are not, and a replica can be behind.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Request, Response, StatusCode, header};
use regex::Regex;
use tokio::net::TcpListener;

use crate::support::serve_engine;

/// The cluster of one shard that the engine of tests knows.
pub const CLUSTER: &str = "one";

/// A statement of a cluster as the engine of one process can run it: nobody distributes it there, and nothing is
/// replicated.
pub fn alone(statement: &str) -> String {
    static OF_CLUSTER: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
        [
            (" ON CLUSTER `[^`]+`", ""),
            (r"\breplicated_deduplication_window", "non_replicated_deduplication_window"),
            (r"FROM system[.]zookeeper WHERE path = '/'", "FROM system.one"),
            (r"ENGINE = Replicated(\w+)\([^)]*\)", "ENGINE = $1"),
        ]
        .map(|(pattern, alone)| (Regex::new(pattern).unwrap(), alone))
    });
    let alone = |text: String, (pattern, alone): &(Regex, &str)| pattern.replace_all(&text, *alone).into_owned();
    OF_CLUSTER.iter().fold(statement.to_owned(), alone)
}

/// A server of a cluster. Of tables that it is said to be behind with, it knows what was inserted before their last
/// synchronisation.
pub struct StandIn {
    pub url: String,
    state: Arc<Standing>,
}

struct Standing {
    engine: String,
    http: reqwest::Client,
    /// What is in these tables it knows only when it is asked to synchronise them.
    behind: HashSet<&'static str>,
    synchronised: Mutex<HashSet<String>>,
    on_cluster: AtomicU64,
}

impl StandIn {
    pub async fn start(behind: &[&'static str]) -> Self {
        let state = Arc::new(Standing {
            engine: serve_engine().await,
            http: reqwest::Client::new(),
            behind: behind.iter().copied().collect(),
            synchronised: Mutex::default(),
            on_cluster: AtomicU64::default(),
        });
        let url = listen(Router::new().fallback(answer).with_state(Arc::clone(&state))).await;
        Self { url, state }
    }

    /// How many statements for the whole cluster it got.
    pub fn on_cluster(&self) -> u64 {
        self.state.on_cluster.load(Ordering::Relaxed)
    }
}

async fn answer(State(state): State<Arc<Standing>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = read(request).await;
    // A statement, or a form with one; rows of an insert are neither.
    let Ok(statement) = std::str::from_utf8(&body) else {
        return forward(&state.http, &state.engine, parts, body).await;
    };
    if statement.contains("ON CLUSTER") {
        state.on_cluster.fetch_add(1, Ordering::Relaxed);
    }
    static SYNC: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"SYSTEM SYNC REPLICA ON CLUSTER `one` `\w+`[.]`(\w+)_local` LIGHTWEIGHT").unwrap()
    });
    if let Some(sync) = SYNC.captures(statement) {
        state.synchronised.lock().unwrap().insert(sync[1].to_owned());
        return Response::new(Body::empty());
    }
    let mut statement = alone(statement);
    for table in state.behind.iter().filter(|table| !state.synchronised.lock().unwrap().contains(**table)) {
        if statement.trim_start().starts_with("SELECT") && statement.contains(table) {
            statement = format!("SELECT * FROM ({statement}) WHERE 0");
        }
    }
    forward(&state.http, &state.engine, parts, statement.into()).await
}

/// Serves on a port of its own; gives the URL.
pub async fn listen(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

pub async fn read(request: Request<Body>) -> (Parts, Bytes) {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    (parts, body)
}

/// What the engine answers.
pub async fn forward(http: &reqwest::Client, engine: &str, mut parts: Parts, body: Bytes) -> Response<Body> {
    // Both bodies are sent anew, as a whole.
    for name in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    let url = format!("{engine}{}", parts.uri);
    let Ok(answered) = http.request(parts.method, url).headers(parts.headers).body(body).send().await else {
        return Response::builder().status(StatusCode::BAD_GATEWAY).body(Body::empty()).unwrap();
    };
    let mut response = Response::builder().status(answered.status());
    let headers = answered.headers().iter().filter(|(name, _)| **name != header::TRANSFER_ENCODING);
    response.headers_mut().unwrap().extend(headers.map(|(name, value)| (name.clone(), value.clone())));
    response.body(Body::from(answered.bytes().await.unwrap_or_default())).unwrap()
}
