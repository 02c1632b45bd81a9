//! The endpoints of the platform.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::schemas::{CurrentAccount, FreshnessReport, Health, Me, Readiness};
use super::{FreshnessError, PlatformService};
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems, TokenProblems};
use crate::http::Valid;

/// Who am I
///
/// Subject, account, scopes, grants and limits of the token, as they are in force here.
#[utoipa::path(
    get,
    path = "/api/v1/me",
    tag = "platform",
    responses((status = 200, description = "Who asks", body = Me), TokenProblems),
    security(("bearer" = [])),
)]
pub async fn me(reader: Reader, Valid(()): Valid<()>, State(platform): State<PlatformService>) -> Json<Me> {
    Json(platform.me(&reader))
}

/// The account
///
/// What is in force for the account of the token.
#[utoipa::path(
    get,
    path = "/api/v1/accounts/current",
    tag = "platform",
    responses((status = 200, description = "The account", body = CurrentAccount), TokenProblems),
    security(("bearer" = [])),
)]
pub async fn current_account(
    reader: Reader,
    Valid(()): Valid<()>,
    State(platform): State<PlatformService>,
) -> Json<CurrentAccount> {
    Json(platform.current_account(&reader).await)
}

/// How fresh is the data
///
/// Per table: the newest row, how long rows took until they could be read, and what became of what was sent;
/// personal data that was replaced; the spool. It counts all rows of the account: a token with grants is refused, and
/// finds `fresh_as_of` in each answer.
#[utoipa::path(
    get,
    path = "/api/v1/freshness",
    tag = "platform",
    responses((status = 200, description = "How ingestion stands", body = FreshnessReport), QuestionProblems),
    security(("bearer" = [])),
)]
pub async fn freshness(
    reader: Reader,
    Valid(()): Valid<()>,
    State(platform): State<PlatformService>,
) -> Result<Json<FreshnessReport>, ApiError> {
    Ok(Json(platform.freshness(&reader).await?))
}

/// Is the process up
///
/// Says nothing about the engine; see `/readyz`.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, description = "It is up", body = Health)), security(()))]
pub async fn healthz() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Can it answer
///
/// Runs a real aggregate for every account.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    responses((status = 200, description = "It can", body = Readiness), (status = 503, description = "It cannot, and why", body = Readiness)),
    security(()),
)]
pub async fn readyz(State(platform): State<PlatformService>) -> (StatusCode, Json<Readiness>) {
    let readiness = platform.readiness(|error| ApiError::from(error).code.name()).await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}

/// Metrics
///
/// In the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, description = "Metrics", body = String, content_type = "text/plain")), security(()))]
pub async fn metrics(State(platform): State<PlatformService>) -> Response {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], platform.metrics()).into_response()
}

impl From<FreshnessError> for ApiError {
    fn from(error: FreshnessError) -> Self {
        match error {
            FreshnessError::Intake(error) => error.into(),
            FreshnessError::Query(error) => error.into(),
            FreshnessError::OutsideGrant(outside) => outside.into(),
        }
    }
}
