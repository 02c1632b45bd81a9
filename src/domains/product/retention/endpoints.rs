//! The endpoint of retention.

use axum::extract::State;

use super::super::ProductService;
use super::schemas::{Retention, RetentionQuestion};
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Retention
///
/// Which share of the users who began in a period returned in that one and in later ones; by the period in which they began, and on average.
#[utoipa::path(
    get,
    path = "/api/v1/product/retention",
    tag = "product",
    params(RetentionQuestion),
    responses((status = 200, description = "Retention", body = Retention), QuestionProblems),
    security(("bearer" = ["product:read"])),
)]
pub async fn retention(
    reader: Reader,
    Valid(question): Valid<RetentionQuestion>,
    State(product): State<ProductService>,
) -> Result<Answer<Retention>, ApiError> {
    Ok(Answer(product.retention(&reader, &question).await?))
}
