//! The endpoints of the tables of assistants.

use axum::extract::State;

use super::super::AssistantsService;
use super::schemas::{Assistant, Customer, Model, Operation, SpanError, TableQuestion, Tool};
use crate::answer::Table;
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Assistants
///
/// What each assistant did: runs, error rate, latency, conversations, tokens and cost, under the name that it has now.
/// While the operational database does not answer, names are those that were known last, or null, and `meta.notes` says so.
#[utoipa::path(
    get,
    path = "/api/v1/assistants",
    tag = "assistants",
    params(TableQuestion<Assistant>),
    responses((status = 200, description = "Assistants", body = Table<Assistant>), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn assistants(
    reader: Reader,
    Valid(question): Valid<TableQuestion<Assistant>>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Table<Assistant>>, ApiError> {
    Ok(Answer(assistants.assistants(&reader, &question).await?))
}

/// Models
///
/// How calls of each model went: error rate, latency, tokens and cost, by model and provider.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/models",
    tag = "assistants",
    params(TableQuestion<Model>),
    responses((status = 200, description = "Models", body = Table<Model>), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn models(
    reader: Reader,
    Valid(question): Valid<TableQuestion<Model>>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Table<Model>>, ApiError> {
    Ok(Answer(assistants.models(&reader, &question).await?))
}

/// Tools
///
/// How calls of each tool went: success rate, timeouts and latency.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/tools",
    tag = "assistants",
    params(TableQuestion<Tool>),
    responses((status = 200, description = "Tools", body = Table<Tool>), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn tools(
    reader: Reader,
    Valid(question): Valid<TableQuestion<Tool>>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Table<Tool>>, ApiError> {
    Ok(Answer(assistants.tools(&reader, &question).await?))
}

/// Operations
///
/// How long each operation took, and how often it failed; the slowest first.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/operations",
    tag = "assistants",
    params(TableQuestion<Operation>),
    responses((status = 200, description = "Operations", body = Table<Operation>), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn operations(
    reader: Reader,
    Valid(question): Valid<TableQuestion<Operation>>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Table<Operation>>, ApiError> {
    Ok(Answer(assistants.operations(&reader, &question).await?))
}

/// Customers
///
/// What each user cost, by the digest of the user's id; the dearest first.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/customers",
    tag = "assistants",
    params(TableQuestion<Customer>),
    responses((status = 200, description = "Customers", body = Table<Customer>), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn customers(
    reader: Reader,
    Valid(question): Valid<TableQuestion<Customer>>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Table<Customer>>, ApiError> {
    Ok(Answer(assistants.customers(&reader, &question).await?))
}

/// Errors
///
/// Which errors there were: how often, in how many conversations, when first and last, with a trace to look at.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/errors",
    tag = "assistants",
    params(TableQuestion<SpanError>),
    responses((status = 200, description = "Errors", body = Table<SpanError>), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn errors(
    reader: Reader,
    Valid(question): Valid<TableQuestion<SpanError>>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Table<SpanError>>, ApiError> {
    Ok(Answer(assistants.errors(&reader, &question).await?))
}
