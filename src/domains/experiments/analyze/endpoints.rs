//! The endpoint that analyses what it is sent.

use axum::Json;

use super::super::analysis::{Analysis, analyze as analyze_experiment};
use super::schemas::{AnalyzeBody, AnalyzeQuestion};
use crate::error::{ApiError, BodyQuestionProblems};
use crate::http::{Valid, ValidBody};

/// Analyse an experiment
///
/// Sufficient statistics of each variant in, the comparison of every metric with its tests out, whether units came as planned, and a decision with its reasons. Reads nothing of the account. `docs/experiments.md` has every definition and formula.
///
/// Unless `test=fixed`, the decision rests on tests that hold for as many looks as one likes. Whole numbers are taken exactly, however large; a variance is lost where sums of squares come rounded, as 3e18 is.
#[utoipa::path(
    post,
    path = "/api/v1/experiments/analyze",
    tag = "experiments",
    request_body(content = AnalyzeBody, description = "At most 100 metrics of 50 variants"),
    responses((status = 200, description = "The analysis", body = Analysis), BodyQuestionProblems),
    security(("bearer" = ["experiments:read"])),
)]
pub async fn analyze(
    Valid(()): Valid<()>,
    ValidBody(AnalyzeQuestion(experiment)): ValidBody<AnalyzeQuestion>,
) -> Result<Json<Analysis>, ApiError> {
    Ok(Json(analyze_experiment(&experiment)))
}
