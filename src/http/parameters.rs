//! The extractor of a question: reads the query string as a whole.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::query::{FromParameters, Parameters};

/// A question that was read without a problem.
pub struct Valid<Q>(pub Q);

impl<Q: FromParameters, S: Send + Sync> FromRequestParts<S> for Valid<Q> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(Parameters::read(parts.uri.query().unwrap_or_default())?))
    }
}
