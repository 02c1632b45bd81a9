//! The endpoints of OTLP.

use axum::extract::State;
use axum::response::Response;

use super::ancestors::{Ancestors, Head};
use super::encoding::Export;
use super::items::{Exported, Item};
use super::refusals::Refusals;
use super::spans::SpanReading;
use super::{logs, spans};
use crate::auth::Reader;
use crate::config::Account;
use crate::error::{ApiError, Code};
use crate::http::Valid;
use crate::ingest::anonymise::Personal;
use crate::ingest::endpoints::Ingestion;
use crate::ingest::person::hashed;
use crate::ingest::rejection::Rejection;
use crate::rows::Row;

/// Take in traces
///
/// OTLP over HTTP, as every OpenTelemetry SDK and Collector sends it: protobuf or JSON; gzip and zstd; 64 MiB
/// after decompression, and 100,000 spans of up to 4 MiB, which with the resource and the scope of each are
/// 128 MiB at most. 200 means that the spans are on disk; refused ones are counted and named in
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
    let account = &reader.principal.account;
    let (prices, coverage) = (&*ingestion.prices, ingestion.coverage(account)?);
    let reading = SpanReading { reading: ingestion.reading(account)?, prices, coverage };
    let ancestors = ancestors(&export, reading)?;
    let read = |span| {
        let mut span = spans::read(span, reading)?;
        ancestors.complete(&mut span, coverage);
        Ok(span)
    };
    let refused = ingestion.take_in(account, &export, read).await?;
    Ok(export.encoding.answer(&refused, "rejectedSpans"))
}

/// Take in logs
///
/// OTLP over HTTP; a log record of up to 256 KiB becomes an event, with the record's event name, attributes and
/// body. Otherwise as traces.
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
    let account = &reader.principal.account;
    let reading = ingestion.reading(account)?;
    let refused = ingestion.take_in(account, &export, |record| logs::read(record, reading)).await?;
    Ok(export.encoding.answer(&refused, "rejectedLogRecords"))
}

/// What the spans of an export say about each other.
fn ancestors(export: &Export, SpanReading { reading, .. }: SpanReading<'_>) -> Result<Ancestors, ApiError> {
    let (heads, mut ancestors) = (export.items::<Head>()?, Ancestors::default());
    if heads.are_several() {
        // What cannot be read is refused later.
        heads.flatten().for_each(|head| ancestors.note(head, |text| hashed(text, reading.salt)));
    }
    Ok(ancestors)
}

impl Ingestion {
    /// Takes in the items of an export that can be read, and says what was refused.
    async fn take_in<M: Item, R: Row<'static> + Personal>(
        &self,
        account: &Account,
        export: &Export,
        read: impl Fn(Exported<M>) -> Result<R, Rejection>,
    ) -> Result<Refusals, ApiError> {
        let (mut submission, mut refused) = (self.intake.submission(account)?, Refusals::default());
        for item in export.items::<M>()? {
            match item.and_then(|item| Ok((item.bytes, read(item)?))) {
                Ok((bytes, row)) => submission.add(row, bytes).await?,
                Err(rejection) => refused.add(rejection),
            }
        }
        if submission.is_empty() && refused.are_of_another_kind() {
            let detail = format!("No {} in it can be read as one that has ids. {}", M::NAME, M::ELSEWHERE);
            return Err(ApiError::new(Code::MalformedBody, detail));
        }
        submission.commit().await?;
        refused.codes().for_each(|(code, rows)| self.intake.note_rejected(account, R::TABLE, code, rows));
        Ok(refused)
    }
}
