//! Request ids: accepted or made, echoed, logged, and used as the engine's query id.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

impl RequestId {
    /// The client's own id, where it sent a decent one; else a new one that sorts by time.
    pub fn of(headers: &HeaderMap) -> Self {
        let decent = |id: &&str| {
            (1..=128).contains(&id.len())
                && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
        };
        let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok()).filter(decent);
        Self(given.map_or_else(|| Uuid::now_v7().to_string().into(), Into::into))
    }

    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("letters, digits and signs")
    }
}
