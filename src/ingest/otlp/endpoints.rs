//! The endpoints of OTLP.

use axum::extract::State;
use axum::response::Response;

use super::encoding::Export;
use super::refusals::Refusals;
use super::spans::SpanReading;
use super::{json, logs, spans};
use crate::auth::Reader;
use crate::config::Account;
use crate::error::{ApiError, Code};
use crate::http::Valid;
use crate::ingest::endpoints::Ingestion;
use crate::rows::Table;

/// Take in traces
///
/// OTLP over HTTP, as every OpenTelemetry SDK and Collector sends it: protobuf or JSON; gzip and zstd; 64 MiB
/// after decompression. 200 means that the spans are on disk; refused ones are counted and named in
/// `partialSuccess`. A span that was delivered before, by trace id and span id, is stored once.
#[utoipa::path(
    post,
    path = "/v1/traces",
    tag = "ingestion",
    request_body(content = Object, content_type = "application/json", description = "`ExportTraceServiceRequest`, or the same in protobuf"),
    responses((status = 200, description = "`ExportTraceServiceResponse`: empty, or with `partialSuccess`", body = Object), (status = "default", description = "`google.rpc.Status`, in the encoding of the request", body = Object)),
    security(("bearer" = ["traces:write"])),
)]
pub async fn traces(
    reader: Reader,
    Valid(()): Valid<()>,
    State(ingestion): State<Ingestion>,
    export: Export,
) -> Result<Response, ApiError> {
    let message = export.decode(json::traces)?;
    let account = &reader.principal.account;
    let reading = ingestion.reading(account)?;
    let read = spans::read(
        message.resource_spans,
        SpanReading { reading, prices: &ingestion.prices, coverage: ingestion.coverage(account)? },
    );
    refuse_logs(&read)?;
    ingestion.intake.take(account, read.spans).await?;
    ingestion.note_refused(account, Table::Spans, &read.refused);
    Ok(export.encoding.answer(&read.refused, "rejectedSpans"))
}

/// Take in logs
///
/// OTLP over HTTP; a log record becomes an event, with the record's event name, attributes and body.
#[utoipa::path(
    post,
    path = "/v1/logs",
    tag = "ingestion",
    request_body(content = Object, content_type = "application/json", description = "`ExportLogsServiceRequest`, or the same in protobuf"),
    responses((status = 200, description = "`ExportLogsServiceResponse`: empty, or with `partialSuccess`", body = Object), (status = "default", description = "`google.rpc.Status`, in the encoding of the request", body = Object)),
    security(("bearer" = ["traces:write"])),
)]
pub async fn logs(
    reader: Reader,
    Valid(()): Valid<()>,
    State(ingestion): State<Ingestion>,
    export: Export,
) -> Result<Response, ApiError> {
    let message = export.decode(json::logs)?;
    let account = &reader.principal.account;
    let read = logs::read(message.resource_logs, ingestion.reading(account)?);
    ingestion.intake.take(account, read.events).await?;
    ingestion.note_refused(account, Table::Events, &read.refused);
    Ok(export.encoding.answer(&read.refused, "rejectedLogRecords"))
}

/// Spans without any ids are log records that were sent to the wrong path.
fn refuse_logs(read: &spans::ReadSpans) -> Result<(), ApiError> {
    let total = read.spans.len() + read.refused.total();
    if total > 0 && read.without_ids == total {
        return Err(ApiError::new(
            Code::MalformedBody,
            "No span has a trace id or a span id; is this an export of logs? Those go to /v1/logs.",
        ));
    }
    Ok(())
}

impl Ingestion {
    fn note_refused(&self, account: &Account, table: Table, refused: &Refusals) {
        refused.codes().for_each(|(code, rows)| self.intake.note_rejected(account, table, code, rows));
    }
}
