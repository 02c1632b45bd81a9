//! The endpoint of the funnel.

use axum::extract::State;

use super::super::ProductService;
use super::schemas::{Funnel, FunnelQuestion};
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Funnel
///
/// How many users, or sessions, came from step to step, in order and within a window from the first one, how long it took them, and where they stopped.
#[utoipa::path(
    get,
    path = "/api/v1/product/funnel",
    tag = "product",
    params(FunnelQuestion),
    responses((status = 200, description = "Funnel", body = Funnel), QuestionProblems),
    security(("bearer" = ["product:read"])),
)]
pub async fn funnel(
    reader: Reader,
    Valid(question): Valid<FunnelQuestion>,
    State(product): State<ProductService>,
) -> Result<Answer<Funnel>, ApiError> {
    Ok(Answer(product.funnel(&reader, &question).await?))
}
