//! The endpoint of sample sizes.

use axum::Json;

use super::schemas::{SampleSize, SampleSizeQuestion};
use crate::error::{ApiError, QuestionProblems};
use crate::http::Valid;

/// How many units an experiment takes
///
/// Units of each variant until a difference is found, for one look when they have come: of a conversion by the pooled z-test (`baseline_rate` with `minimum_effect`), of a mean by the t-test (`standard_deviation` with `minimum_difference`).
#[utoipa::path(
    get,
    path = "/api/v1/experiments/sample-size",
    tag = "experiments",
    params(SampleSizeQuestion),
    responses((status = 200, description = "The number of units", body = SampleSize), QuestionProblems),
    security(("bearer" = ["experiments:read"])),
)]
pub async fn sample_size(Valid(question): Valid<SampleSizeQuestion>) -> Result<Json<SampleSize>, ApiError> {
    Ok(Json(SampleSize::of(&question)))
}
