//! The bodies of ingestion: their limits, and JSON or a JSON document a line.

use axum::extract::{FromRequest, Request};

use crate::error::{ApiError, Code};
use crate::http::body::{self, Content, Limits, essence};

const EVENTS: Limits = Limits { sent: 8 << 20, content: 64 << 20 };
pub const OTLP: Limits = Limits { sent: 64 << 20, content: 64 << 20 };

/// Content types that are read as JSON or as a JSON document a line.
const JSON_TYPES: [&str; 5] =
    ["application/json", "application/x-ndjson", "application/ndjson", "application/jsonl", "text/plain"];

/// The body of a request, which is JSON text.
pub struct JsonContent(pub Content);

impl<S: Send + Sync> FromRequest<S> for JsonContent {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if essence(&parts.headers).is_some_and(|essence| !JSON_TYPES.contains(&essence.as_str())) {
            let detail = "Send `application/json` or `application/x-ndjson`.";
            return Err(ApiError::new(Code::UnsupportedMediaType, detail));
        }
        Ok(Self(body::read(&parts.headers, body, EVENTS).await?))
    }
}
