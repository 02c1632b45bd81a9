//! The studio: pages for people, drawn in their browsers from the API. It is built of `studio/` and taken into the program;
//! a program that was built without it has a notice in its place.

use std::sync::Arc;

use axum::extract::{FromRef, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use include_dir::{Dir, include_dir};
use uuid::Uuid;

use crate::error::ApiError;
use crate::http::{Rendered, not_found};

static BUILT: Dir<'static> = include_dir!("$OUT_DIR/studio");

/// The addresses of its pages, as its own router has them.
pub const PAGES: [&str; 10] = [
    "/",
    "/recommendations",
    "/assistants",
    "/traces",
    "/traces/{trace_id}",
    "/voice-agents",
    "/experiments",
    "/experiments/{experiment_id}",
    "/product",
    "/operations",
];

/// The page in which all of them are drawn.
#[derive(Clone)]
pub struct Studio {
    index: Arc<str>,
}

impl Studio {
    /// `token` is given to whoever opens a page: for the demo alone. Without one, the studio asks for one.
    pub fn new(token: Option<&str>) -> Self {
        let index = BUILT.get_file("index.html").and_then(|file| file.contents_utf8()).expect("the build has it");
        Self { index: index.replace("{{ token }}", token.unwrap_or_default()).into() }
    }

    /// Scripts and style sheets are files of ours; what the studio adds to its styles names the number of this answer.
    fn page(&self, status: StatusCode) -> Response {
        let nonce = Uuid::new_v4().simple().to_string();
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        let headers = [
            (header::CONTENT_SECURITY_POLICY, HeaderValue::try_from(policy).expect("ASCII")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        ];
        (status, headers, Html(self.index.replace("{{ nonce }}", &nonce))).into_response()
    }
}

/// The pages, and the files that they load.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S>
where
    Studio: FromRef<S>,
{
    let pages = PAGES.iter().fold(Router::new(), |router, page| router.route(page, get(index)));
    pages.route("/assets/{*name}", get(asset)).route("/icon.svg", get(icon))
}

/// Nothing is at an address: people who went there are told by the studio, programs by a problem.
pub async fn fallback(State(studio): State<Studio>, request: Request) -> Result<Response, ApiError> {
    let accepts = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let is_of_api = ["/api/", "/v1/", "/docs", "/assets/"].iter().any(|start| request.uri().path().starts_with(start));
    match request.method() == Method::GET && accepts.contains("text/html") && !is_of_api {
        true => Ok((Extension(Rendered), studio.page(StatusCode::NOT_FOUND)).into_response()),
        false => Err(not_found().await),
    }
}

async fn index(State(studio): State<Studio>) -> Response {
    studio.page(StatusCode::OK)
}

/// The name of an asset has the hash of its content, so it may be kept for ever.
async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    file(&format!("assets/{name}"), &headers, "public, max-age=31536000, immutable").await
}

async fn icon(headers: HeaderMap) -> Result<Response, ApiError> {
    file("icon.svg", &headers, "public, max-age=86400").await
}

/// A file, as it was compressed at build time where the browser takes that.
async fn file(path: &str, asked: &HeaderMap, kept: &'static str) -> Result<Response, ApiError> {
    let Some(whole) = BUILT.get_file(path) else { return Err(not_found().await) };
    let compressed = BUILT.get_file(format!("{path}.br")).filter(|_| takes_brotli(asked));
    let mut response = compressed.unwrap_or(whole).contents().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(header::VARY, HeaderValue::from_name(header::ACCEPT_ENCODING));
    if compressed.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    Ok(response)
}

fn takes_brotli(asked: &HeaderMap) -> bool {
    let encodings = asked.get(header::ACCEPT_ENCODING).and_then(|encodings| encodings.to_str().ok());
    encodings.is_some_and(|encodings| {
        encodings.split(',').any(|encoding| {
            let (name, quality) = encoding.split_once(';').unwrap_or((encoding, ""));
            name.trim().eq_ignore_ascii_case("br") && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
        })
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_pages_are_those_of_its_own_router() {
        let router = include_str!("../../studio/src/app/router.tsx");
        let of_router: Vec<String> = router
            .split("page(\"")
            .skip(1)
            .filter_map(|rest| rest.split_once('"'))
            .map(|(path, _)| path.replace("$traceId", "{trace_id}").replace("$experimentId", "{experiment_id}"))
            .collect();
        assert_eq!(of_router, PAGES);
    }

    #[test]
    fn brotli_is_for_those_who_take_it() {
        let takes = |encodings: &'static str| {
            takes_brotli(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(encodings))]))
        };
        assert!(takes("gzip, deflate, br, zstd") && takes("br;q=0.5") && takes("BR"));
        assert!(!takes("gzip") && !takes("br;q=0") && !takes("brotli") && !takes_brotli(&HeaderMap::new()));
    }
}
