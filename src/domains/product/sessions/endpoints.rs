//! The endpoint of sessions.

use axum::extract::State;

use super::super::ProductService;
use super::schemas::{Sessions, SessionsQuestion};
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Sessions
///
/// How long sessions were, and what was done in them: quantiles of their duration, pages and interactions, and a histogram.
#[utoipa::path(
    get,
    path = "/api/v1/product/sessions",
    tag = "product",
    params(SessionsQuestion),
    responses((status = 200, description = "Sessions", body = Sessions), QuestionProblems),
    security(("bearer" = ["product:read"])),
)]
pub async fn sessions(
    reader: Reader,
    Valid(question): Valid<SessionsQuestion>,
    State(product): State<ProductService>,
) -> Result<Answer<Sessions>, ApiError> {
    Ok(Answer(product.sessions(&reader, &question).await?))
}
