//! The endpoints of ingestion.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::Utc;

use super::anonymise::Personal;
use super::body::JsonContent;
use super::documents::{MOST_EVENTS, documents};
use super::event::{self, LARGEST_EVENT, Reading};
use super::genai::{Coverage, PriceBook};
use super::intake::{Intake, IntakeError};
use super::mirror::Mirroring;
use super::product_event;
use super::rejection::Rejection;
use super::schemas::{Accepted, EventDocument, ProductEventDocument, RejectedEvent};
use crate::auth::Reader;
use crate::config::{Account, Retention, UnknownEvents};
use crate::error::{ApiError, Code, FieldError, IngestionProblems};
use crate::http::Valid;
use crate::http::body::{Content, malformed};
use crate::json::{self, Json as Document};
use crate::query::shown;
use crate::rows::Row;
use crate::spool::Refused;

/// What ingestion works with.
#[derive(Clone)]
pub struct Ingestion {
    pub intake: Arc<Intake>,
    pub retention: Retention,
    pub prices: Arc<PriceBook>,
    pub unknown_product_events: UnknownEvents,
    /// Where product events are told as well, if anywhere.
    pub mirror: Option<Arc<Mirroring>>,
}

impl Ingestion {
    /// What rows of an account are read with.
    pub fn reading(&self, account: &Account) -> Result<Reading<'_>, IntakeError> {
        Ok(Reading { now: Utc::now(), retention_days: self.retention.days(account), salt: self.intake.salt(account)? })
    }

    /// Which attributes of an account's spans filled which columns.
    pub fn coverage(&self, account: &Account) -> Result<&Coverage, IntakeError> {
        self.intake.coverage(account)
    }
}

/// Take in events
///
/// One event, a list, `{"events": […]}` or an event a line; gzip and zstd; at most 10,000 events,
/// 8 MiB as sent and 64 MiB after decompression. 202 means that the accepted events are on disk.
/// An event that is not accepted is named with its reason, and the others are stored; so is a line that
/// cannot be read.
#[utoipa::path(
    post,
    path = "/api/v1/events",
    tag = "ingestion",
    request_body(content = EventDocument, description = "One event; also a list, `{\"events\": […]}`, or an event a line"),
    responses((status = 202, description = "What became of the events", body = Accepted), IngestionProblems),
    security(("bearer" = ["events:write"])),
)]
pub async fn events(
    reader: Reader,
    Valid(()): Valid<()>,
    State(ingestion): State<Ingestion>,
    JsonContent(content): JsonContent,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let account = &reader.principal.account;
    let reading = ingestion.reading(account)?;
    ingestion.accept(account, &content, |document| event::read(document, reading)).await
}

/// Take in product events
///
/// Usage of the product by nobody in particular: only what the catalogue of events has. A row with a raw URL, a
/// query string, an e-mail address, a raw id of a user or an organisation, or a value that was selected is
/// refused, and the field is named.
#[utoipa::path(
    post,
    path = "/api/v1/product-events",
    tag = "ingestion",
    request_body(content = ProductEventDocument, description = "One event; also a list, `{\"events\": […]}`, or an event a line"),
    responses((status = 202, description = "What became of the events", body = Accepted), IngestionProblems),
    security(("bearer" = ["events:write"])),
)]
pub async fn product_events(
    reader: Reader,
    Valid(()): Valid<()>,
    State(ingestion): State<Ingestion>,
    JsonContent(content): JsonContent,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    ingestion.accept_product_events(&reader.principal.account, &content).await
}

impl Ingestion {
    /// Takes in product events, and tells those that were accepted elsewhere, where that is configured.
    async fn accept_product_events(
        &self,
        account: &Account,
        content: &Content,
    ) -> Result<(StatusCode, Json<Accepted>), ApiError> {
        let (now, selected) = (Utc::now(), Mutex::new(Vec::new()));
        let read = |document| {
            let event = product_event::read(document, now, self.unknown_product_events)?;
            if let Some(told) = self.mirror.as_ref().and_then(|mirror| mirror.select(&event)) {
                selected.lock().unwrap_or_else(PoisonError::into_inner).push(told);
            }
            Ok(event)
        };
        let accepted = self.accept(account, content, read).await?;
        if let Some(mirror) = &self.mirror {
            mirror.tell(account, selected.into_inner().unwrap_or_else(PoisonError::into_inner));
        }
        Ok(accepted)
    }

    /// Takes in the documents of a body that can be read.
    async fn accept<'t, R: Row<'t> + Personal>(
        &self,
        account: &Account,
        content: &'t Content,
        read: impl Fn(Document<'t>) -> Result<R, Rejection>,
    ) -> Result<(StatusCode, Json<Accepted>), ApiError> {
        let (mut submission, mut rejected) = (self.intake.submission(account)?, Vec::new());
        for document in read_documents(content, read)? {
            match document {
                Ok((row, bytes)) => submission.add(row, bytes).await?,
                Err(refused) => {
                    self.intake.note_rejected(account, R::TABLE, refused.code, 1);
                    rejected.push(refused);
                }
            }
        }
        if submission.is_empty() && !rejected.is_empty() {
            return Err(all_rejected(rejected));
        }
        let taken = submission.commit().await?;
        let accepted = Accepted { accepted: taken.accepted, duplicates: taken.duplicates, rejected };
        Ok((StatusCode::ACCEPTED, Json(accepted)))
    }
}

/// Reads the documents of a body, one after the other: a row and the bytes it was made of, or why it is refused.
pub fn read_documents<'t, R>(
    body: &'t [u8],
    read: impl Fn(Document<'t>) -> Result<R, Rejection>,
) -> Result<impl Iterator<Item = Result<(R, usize), RejectedEvent>>, ApiError> {
    let documents = documents(body).map_err(|error| malformed(&error))?;
    if documents.len() > MOST_EVENTS {
        return Err(ApiError::new(Code::BodyTooLarge, format!("More than {MOST_EVENTS} events; send them in parts.")));
    }
    Ok(documents.into_iter().enumerate().map(move |(index, document)| {
        let unreadable = |reason| (None, Rejection::new("malformed_event", "", reason));
        let row = document.map_err(unreadable).and_then(|text| Ok((read_document(text, &read)?, text.len())));
        row.map_err(|(event_id, Rejection { code, pointer, detail })| RejectedEvent {
            index,
            event_id,
            code,
            detail,
            pointer,
        })
    }))
}

fn read_document<'t, R>(
    text: &'t str,
    read: impl Fn(Document<'t>) -> Result<R, Rejection>,
) -> Result<R, (Option<String>, Rejection)> {
    if text.len() > LARGEST_EVENT {
        let detail = format!("the event has more than {} KiB", LARGEST_EVENT >> 10);
        return Err((None, Rejection::new("event_too_large", "", detail)));
    }
    let value = json::read(text).map_err(|error| (None, Rejection::new("malformed_event", "", error.to_string())))?;
    // Kept for the answer, in case it is refused.
    let id = match &value {
        Document::Object(fields) => fields.get("event_id").and_then(Document::as_str).map(|id| shown(id).into_owned()),
        _ => None,
    };
    read(value).map_err(|rejection| (id, rejection))
}

fn all_rejected(rejected: Vec<RejectedEvent>) -> ApiError {
    let detail = match rejected.as_slice() {
        [only] => format!("The event was rejected: {}.", only.detail),
        _ => format!("All {} events were rejected; the first: {}.", rejected.len(), rejected[0].detail),
    };
    let errors = rejected
        .into_iter()
        .map(|rejected| FieldError {
            parameter: None,
            pointer: Some(format!("/{}{}", rejected.index, rejected.pointer)),
            code: rejected.code.to_owned(),
            detail: rejected.detail,
            allowed: Vec::new(),
        })
        .collect();
    ApiError { errors, ..ApiError::new(Code::AllRejected, detail) }
}

impl From<IntakeError> for ApiError {
    fn from(error: IntakeError) -> Self {
        let unavailable = |detail: &str, cause: String| {
            let told = Self::new(Code::IngestionUnavailable, detail).retry_after(5);
            Self { cause: Some(cause), ..told }
        };
        match error {
            IntakeError::UnknownAccount(account) => Self::internal(format!("no salt for {account}")),
            IntakeError::Refused(refused @ Refused::Full { .. }) => unavailable(
                "Too much waits to be stored; nothing of this was accepted, send it again.",
                refused.to_string(),
            ),
            IntakeError::OverQuota(over) => {
                let detail = format!("Nothing of this was accepted: {over}; try again in {} s.", over.retry_after);
                Self::new(Code::RateLimited, detail).retry_after(over.retry_after)
            }
            IntakeError::Entities(error) => unavailable(
                "Names cannot be found at the moment; nothing of this was accepted, send it again.",
                error.to_string(),
            ),
            error @ (IntakeError::Refused(_) | IntakeError::Topics(_)) => {
                unavailable("Not everything can be accepted at the moment; send it again.", error.to_string())
            }
        }
    }
}
