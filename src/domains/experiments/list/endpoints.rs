//! The endpoint of the list of experiments.

use axum::extract::State;

use super::super::ExperimentsService;
use super::schemas::{ExperimentsQuestion, ListedExperiment};
use crate::answer::Table;
use crate::auth::Reader;
use crate::error::{ApiError, QuestionProblems};
use crate::http::{Answer, Valid};

/// Experiments
///
/// Those to which units were first exposed in the range: how many came to each variant, whether they came in equal parts, since when the experiment runs, and whether it still does. With other parts than equal ones, ask for its `health`, which takes `weights`. `variants` and `srm` have no order and cannot be sorted by.
#[utoipa::path(
    get,
    path = "/api/v1/experiments",
    tag = "experiments",
    params(ExperimentsQuestion),
    responses((status = 200, description = "Experiments", body = Table<ListedExperiment>), QuestionProblems),
    security(("bearer" = ["experiments:read"])),
)]
pub async fn experiments(
    reader: Reader,
    Valid(question): Valid<ExperimentsQuestion>,
    State(experiments): State<ExperimentsService>,
) -> Result<Answer<Table<ListedExperiment>>, ApiError> {
    Ok(Answer(experiments.experiments(&reader, &question).await?))
}
