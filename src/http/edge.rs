//! The outermost layer: request ids, problems for every error, panics, headers, log and metrics.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::request_id::{RequestId, X_REQUEST_ID};
use crate::error::{ApiError, Code};
use crate::traces;

/// The layer itself.
pub struct Edge;

/// Marks a response whose error has its body already, in a protocol of its own.
#[derive(Clone)]
pub struct Rendered;

impl Edge {
    pub async fn handle(mut request: Request, next: Next) -> Response {
        let started = Instant::now();
        let id = RequestId::of(request.headers());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        // For the metrics the path of the route, of which there are few, and never the one asked for.
        let route = request.extensions().get::<MatchedPath>().cloned();
        request.extensions_mut().insert(id.clone());
        let of_route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
        let span = traces::request(&method, of_route, &id.0, request.headers());

        let mut response = next.run(request).instrument(span.clone()).await;

        traces::note_status(&span, response.status().as_u16());
        if let Some(error) = problem_of(&response) {
            report(&error, &id, &path);
            if response.extensions().get::<Rendered>().is_none() {
                response = with_problem(response, &error, &path, &id);
            }
        }
        add_headers(response.headers_mut(), &id);
        note(&method, &path, route.as_ref(), &response, started, &id);
        response
    }
}

/// The error behind a response; an error of the framework's own becomes one of ours.
fn problem_of(response: &Response) -> Option<Arc<ApiError>> {
    if let Some(error) = response.extensions().get::<Arc<ApiError>>() {
        return Some(Arc::clone(error));
    }
    let code = match response.status() {
        status if status.is_success() || status.is_redirection() || status.is_informational() => return None,
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        StatusCode::BAD_REQUEST => Code::MalformedBody,
        // `/readyz` answers 503 with a body of its own.
        StatusCode::SERVICE_UNAVAILABLE => return None,
        status => return Some(Arc::new(ApiError::internal(format!("a bare {status}")))),
    };
    Some(Arc::new(ApiError::new(code, format!("{}.", code.title()))))
}

fn report(error: &ApiError, id: &RequestId, path: &str) {
    let cause = error.cause.as_deref().unwrap_or_default();
    if error.code.status().is_server_error() {
        tracing::error!(request_id = %id.0, path, code = error.code.name(), cause, "a request failed");
    } else {
        tracing::debug!(request_id = %id.0, path, code = error.code.name(), detail = error.detail, "a request was refused");
    }
    metrics::counter!("chartwell_problems_total", "code" => error.code.name()).increment(1);
}

fn with_problem(response: Response, error: &ApiError, path: &str, id: &RequestId) -> Response {
    let (mut parts, _) = response.into_parts();
    let body = serde_json::to_vec(&error.body(path, &id.0)).expect("a problem serialises");
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Response::from_parts(parts, Body::from(body))
}

/// Headers of every response. A page that needs more than its own files says so itself.
fn add_headers(headers: &mut HeaderMap, id: &RequestId) {
    headers.insert(X_REQUEST_ID, id.header());
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

fn note(
    method: &Method,
    path: &str,
    route: Option<&MatchedPath>,
    response: &Response,
    started: Instant,
    id: &RequestId,
) {
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    tracing::debug!(request_id = %id.0, %method, path, status, elapsed_ms = elapsed.as_secs_f64() * 1e3, "request");
    let route = route.map_or("unmatched", MatchedPath::as_str).to_owned();
    metrics::histogram!("chartwell_request_seconds", "route" => route, "status" => status.to_string())
        .record(elapsed.as_secs_f64());
}

/// Answers for paths that nobody has.
pub async fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "There is nothing at this path; the API is described at /docs.")
}

/// Answers for methods that a path does not have.
pub async fn method_not_allowed() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, "This path exists, but not with this method; the API is described at /docs.")
}

/// Turns a panic into an error; the message stays in the log.
pub fn on_panic(panic: Box<dyn Any + Send>) -> Response {
    ApiError::internal(format!("panic: {}", message_of(&*panic))).into_response()
}

/// What a panic says.
pub fn message_of(panic: &(dyn Any + Send)) -> &str {
    let message = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    message.unwrap_or("without a message")
}
