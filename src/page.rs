//! The page at `/`: live charts, drawn from the API.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const TEMPLATE: &str = include_str!("page.html");

/// The page, ready to be sent.
#[derive(Clone)]
pub struct Page {
    html: Arc<str>,
    policy: HeaderValue,
}

impl Page {
    /// `token` is put into the page: for the demo alone. Without one, the page asks for one.
    pub fn new(token: Option<&str>) -> Self {
        let html = TEMPLATE.replace("\"{{ token }}\"", &serde_json::to_string(&token).expect("a text serialises"));
        // The policy allows this very script and this very style sheet, by their hashes.
        let hash = |open: &str, close: &str| {
            let (_, rest) = html.split_once(open).expect("the page has it");
            let (content, _) = rest.split_once(close).expect("the page has it");
            STANDARD.encode(Sha256::digest(content.as_bytes()))
        };
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            hash("<script>", "</script>"),
            hash("<style>", "</style>"),
        );
        Self { html: html.into(), policy: HeaderValue::try_from(policy).expect("ASCII") }
    }
}

pub async fn index(State(page): State<Page>) -> Response {
    let headers =
        [(header::CONTENT_SECURITY_POLICY, page.policy), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (headers, Html(page.html.to_string())).into_response()
}
