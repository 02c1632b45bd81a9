//! A front before an application, which fails as networks and proxies do.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use tokio::net::TcpListener;

use crate::support::TestApp;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It is answered by the application.
    Pass,
    /// 503 with `Retry-After: 1`.
    Refuse,
    /// The application gets it, and its answer is cut off in the middle.
    CutAnswer,
    /// The application never gets it, and an answer begins that looks like a success.
    Lose,
}

/// What a front does in turn, and what was asked of it.
pub struct Front {
    pub url: String,
    log: Arc<Log>,
}

struct Log {
    application: String,
    http: reqwest::Client,
    turns: Mutex<VecDeque<Turn>>,
    then: Turn,
    requests: Mutex<Vec<(Turn, Instant)>>,
}

impl Front {
    /// Takes the turns, and then the last one for ever.
    pub async fn start(app: &TestApp, turns: &[Turn], then: Turn) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Log {
            application: app.url.clone(),
            http: reqwest::Client::new(),
            turns: Mutex::new(turns.iter().copied().collect()),
            then,
            requests: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&log));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, log }
    }

    /// The turns that were taken, and when.
    pub fn requests(&self) -> Vec<(Turn, Instant)> {
        self.log.requests.lock().unwrap().clone()
    }
}

async fn answer(State(log): State<Arc<Log>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let turn = log.turns.lock().unwrap().pop_front().unwrap_or(log.then);
    log.requests.lock().unwrap().push((turn, Instant::now()));
    match turn {
        Turn::Refuse => refusal(),
        Turn::Lose => cut(Response::builder().status(StatusCode::ACCEPTED), br#"{"accepted":1,"#),
        Turn::Pass | Turn::CutAnswer => {
            let request = log.http.request(method, format!("{}{uri}", log.application)).body(body);
            let passed = [header::AUTHORIZATION, header::CONTENT_TYPE, header::CONTENT_ENCODING];
            let request = passed.iter().fold(request, |request, name| match headers.get(name) {
                Some(value) => request.header(name, value),
                None => request,
            });
            let response = request.send().await.unwrap();
            let mut answer = Response::builder().status(response.status());
            *answer.headers_mut().unwrap() = response.headers().clone();
            let body = response.bytes().await.unwrap();
            if turn == Turn::CutAnswer {
                cut(answer, &body[..body.len() / 2])
            } else {
                answer.body(body.into()).unwrap()
            }
        }
    }
}

fn refusal() -> Response {
    Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).header("retry-after", "1").body(Body::empty()).unwrap()
}

/// An answer that breaks off with its connection.
fn cut(answer: axum::http::response::Builder, begun: &[u8]) -> Response {
    let parts = [Ok(Bytes::copy_from_slice(begun)), Err(io::Error::other("cut"))];
    answer.body(Body::from_stream(futures::stream::iter(parts))).unwrap()
}
