//! The endpoints of traces.

use axum::extract::{Path, State};

use super::super::AssistantsService;
use super::schemas::{Run, Trace, TracesQuestion};
use crate::answer::Listing;
use crate::auth::Reader;
use crate::error::{ApiError, ProblemBody, QuestionProblems};
use crate::http::{Answer, Valid};

/// Traces
///
/// The runs of assistants, the newest first, each with what the spans of its trace add up to. A trace is listed when one of its spans meets all filters, or with `filter_on=root_span` its root does. `cursor` goes on where a page ended, whatever has come in meanwhile.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/traces",
    tag = "assistants",
    params(TracesQuestion),
    responses((status = 200, description = "Traces", body = Listing<Run>), QuestionProblems),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn traces(
    reader: Reader,
    Valid(question): Valid<TracesQuestion>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Listing<Run>>, ApiError> {
    Ok(Answer(assistants.traces(&reader, &question).await?))
}

/// Trace
///
/// One trace as a tree: its spans in order, each with its depth, its own time, its part of the critical path, tokens, cost, events and links. What went in and came out is shown to readers with the scope `traces:read`.
#[utoipa::path(
    get,
    path = "/api/v1/assistants/traces/{trace_id}",
    tag = "assistants",
    params(("trace_id" = String, Path, description = "The id of the trace: 32 hexadecimal digits.", example = "4bf92f3577b34da6a3ce929d0e0e4736")),
    responses(
        (status = 200, description = "Trace", body = Trace),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        QuestionProblems,
    ),
    security(("bearer" = ["assistants:read"])),
)]
pub async fn trace(
    reader: Reader,
    Path(trace_id): Path<String>,
    Valid(()): Valid<()>,
    State(assistants): State<AssistantsService>,
) -> Result<Answer<Trace>, ApiError> {
    Ok(Answer(assistants.trace(&reader, &trace_id).await?))
}
