//! The extractors of a question: of the query string, or of a body, as a whole.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;

use super::body::{self, Limits, essence, malformed};
use crate::error::{ApiError, Code};
use crate::json::{FromJson, Unreadable, read_as};
use crate::query::{FromParameters, Parameters};

/// A question that was read without a problem.
pub struct Valid<Q>(pub Q);

impl<Q: FromParameters, S: Send + Sync> FromRequestParts<S> for Valid<Q> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(Parameters::read(parts.uri.query().unwrap_or_default())?))
    }
}

/// A question in the body of a request, a JSON document, that was read without a problem.
pub struct ValidBody<Q>(pub Q);

/// A question is not as long as events are.
const LONGEST_QUESTION: Limits = Limits { sent: 2 << 20, content: 4 << 20 };

impl<Q: FromJson, S: Send + Sync> FromRequest<S> for ValidBody<Q> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if essence(&parts.headers).is_some_and(|essence| essence != "application/json") {
            return Err(ApiError::new(Code::UnsupportedMediaType, "Send `application/json`."));
        }
        let content = body::read(&parts.headers, body, LONGEST_QUESTION).await?;
        read_as(content.text()?).map(Self).map_err(|unreadable| match unreadable {
            Unreadable::Malformed(error) => malformed(&error),
            Unreadable::Problems(problems) => problems.into(),
        })
    }
}
