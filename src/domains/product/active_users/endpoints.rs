//! The endpoint of active users.

use axum::extract::State;

use super::super::ProductService;
use super::schemas::ActiveUsersQuestion;
use crate::answer::Chart;
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Active users
///
/// How many users were active within a rolling window of a day, a week or a month: distinct users, no sums of days. Beside it stickiness: active users of a day on average ÷ active users of the window, 0 to 1; null where there was none.
#[utoipa::path(
    get,
    path = "/api/v1/product/charts/active-users",
    tag = "product",
    params(ActiveUsersQuestion),
    responses((status = 200, description = "Active users", body = Chart), QuestionProblems),
    security(("bearer" = ["product:read"])),
)]
pub async fn active_users(
    reader: Reader,
    Valid(question): Valid<ActiveUsersQuestion>,
    State(product): State<ProductService>,
) -> Result<Answer<Chart>, ApiError> {
    Ok(Answer(product.active_users(&reader, &question).await?))
}
