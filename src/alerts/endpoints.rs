//! The endpoint of alerts.

use axum::Json;
use axum::extract::State;

use super::AlertsService;
use super::schemas::Alerts;
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::Valid;

/// How alerts stand
///
/// The rules of `alerts.toml` that watch the account, each with its state: `ok`, `pending` (crossed, and not yet for long enough), `firing`, `recovering` (over, and not yet for long enough) or `no_data`. They are evaluated every minute, on minutes and days that are over. Rules are about all of an account: a token with grants is refused.
#[utoipa::path(
    get,
    path = "/api/v1/alerts",
    tag = "platform",
    responses((status = 200, description = "Rules with their state", body = Alerts), QuestionProblems),
    security(("bearer" = ["alerts:read"])),
)]
pub async fn alerts(
    reader: Reader,
    Valid(()): Valid<()>,
    State(alerts): State<AlertsService>,
) -> Result<Json<Alerts>, ApiError> {
    Ok(Json(alerts.alerts(&reader).await?))
}
