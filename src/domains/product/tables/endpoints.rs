//! The endpoints of tables about the product.

use axum::extract::State;

use super::super::ProductService;
use super::schemas::{
    Adoption, AdoptionQuestion, ChartInteraction, ClientError, Feature, Filter, Paths, PathsQuestion, Route,
    TableQuestion,
};
use crate::answer::Table;
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Routes
///
/// How often each route was viewed, and by how many users.
#[utoipa::path(
    get,
    path = "/api/v1/product/routes",
    tag = "product",
    params(TableQuestion<Route>),
    responses((status = 200, description = "Routes", body = Table<Route>), QuestionProblems),
    security(("bearer" = ["product:read"])),
)]
pub async fn routes(
    reader: Reader,
    Valid(question): Valid<TableQuestion<Route>>,
    State(product): State<ProductService>,
) -> Result<Answer<Table<Route>>, ApiError> {
    Ok(Answer(product.routes(&reader, &question).await?))
}

/// Features
///
/// How often each feature was viewed, and by how many users.
#[utoipa::path(
    get,
    path = "/api/v1/product/features",
    tag = "product",
    params(TableQuestion<Feature>),
    responses((status = 200, description = "Features", body = Table<Feature>), QuestionProblems),
    security(("bearer" = ["product:read"])),
)]
pub async fn features(
    reader: Reader,
    Valid(question): Valid<TableQuestion<Feature>>,
    State(product): State<ProductService>,
) -> Result<Answer<Table<Feature>>, ApiError> {
    Ok(Answer(product.features(&reader, &question).await?))
}

/// Filters
///
/// How often each filter was changed, by how many users, and to how many values on average; which values is never taken in.
#[utoipa::path(
    get,
    path = "/api/v1/product/filters",
    tag = "product",
    params(TableQuestion<Filter>),
    responses((status = 200, description = "Filters", body = Table<Filter>), QuestionProblems),
    security(("bearer" = ["product:read"])),
)]
pub async fn filters(
    reader: Reader,
    Valid(question): Valid<TableQuestion<Filter>>,
    State(product): State<ProductService>,
) -> Result<Answer<Table<Filter>>, ApiError> {
    Ok(Answer(product.filters(&reader, &question).await?))
}

/// Interactions with charts
///
/// What was done with each chart, how often, and by how many users.
#[utoipa::path(
    get,
    path = "/api/v1/product/chart-interactions",
    tag = "product",
    params(TableQuestion<ChartInteraction>),
    responses((status = 200, description = "Interactions with charts", body = Table<ChartInteraction>), QuestionProblems),
    security(("bearer" = ["product:read"])),
)]
pub async fn chart_interactions(
    reader: Reader,
    Valid(question): Valid<TableQuestion<ChartInteraction>>,
    State(product): State<ProductService>,
) -> Result<Answer<Table<ChartInteraction>>, ApiError> {
    Ok(Answer(product.chart_interactions(&reader, &question).await?))
}

/// Client errors
///
/// What broke for users, by route, boundary and class, and how many were affected.
#[utoipa::path(
    get,
    path = "/api/v1/product/client-errors",
    tag = "product",
    params(TableQuestion<ClientError>),
    responses((status = 200, description = "Client errors", body = Table<ClientError>), QuestionProblems),
    security(("bearer" = ["product:read"])),
)]
pub async fn client_errors(
    reader: Reader,
    Valid(question): Valid<TableQuestion<ClientError>>,
    State(product): State<ProductService>,
) -> Result<Answer<Table<ClientError>>, ApiError> {
    Ok(Answer(product.client_errors(&reader, &question).await?))
}

/// Adoption
///
/// Which share of the active users viewed each feature, and who of them for the first time.
#[utoipa::path(
    get,
    path = "/api/v1/product/adoption",
    tag = "product",
    params(AdoptionQuestion),
    responses((status = 200, description = "Adoption", body = Table<Adoption>), QuestionProblems),
    security(("bearer" = ["product:read"])),
)]
pub async fn adoption(
    reader: Reader,
    Valid(question): Valid<AdoptionQuestion>,
    State(product): State<ProductService>,
) -> Result<Answer<Table<Adoption>>, ApiError> {
    Ok(Answer(product.adoption(&reader, &question).await?))
}

/// Paths
///
/// Where users went from a route: the next routes of their sessions, the most frequent first, all others together, and ends of sessions.
#[utoipa::path(
    get,
    path = "/api/v1/product/paths",
    tag = "product",
    params(PathsQuestion),
    responses((status = 200, description = "Paths", body = Paths), QuestionProblems),
    security(("bearer" = ["product:read"])),
)]
pub async fn paths(
    reader: Reader,
    Valid(question): Valid<PathsQuestion>,
    State(product): State<ProductService>,
) -> Result<Answer<Paths>, ApiError> {
    Ok(Answer(product.paths(&reader, &question).await?))
}
