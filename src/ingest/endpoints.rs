//! The endpoints of ingestion.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::Utc;
use serde_json::value::RawValue;

use super::body::{malformed, read_json};
use super::event::{Event, LARGEST_EVENT, Reading};
use super::json;
use super::rejection::Rejection;
use super::schemas::{Accepted, EventDocument, RejectedEvent};
use super::store::{EventStore, StoreError};
use crate::auth::Reader;
use crate::error::{ApiError, Code, FieldError, IngestionProblems};
use crate::http::Valid;

/// Events of one request.
const MOST_EVENTS: usize = 10_000;

/// What ingestion works with.
#[derive(Clone)]
pub struct Ingestion {
    pub store: Arc<EventStore>,
    pub retention_days: u32,
}

/// Take in events
///
/// One event, a list, `{"events": […]}` or an event a line; gzip and zstd; at most 10,000 events,
/// 8 MiB as sent and 64 MiB after decompression. 202 means that the accepted events are on disk.
/// An event that is not accepted is named with its reason, and the others are stored.
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
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let text = read_json(&headers, body).await?;
    let account = &reader.principal.account;
    let reading =
        Reading { now: Utc::now(), retention_days: ingestion.retention_days, salt: ingestion.store.salt(account)? };
    let (events, rejected) = read_events(&text, reading)?;
    if events.is_empty() && !rejected.is_empty() {
        return Err(all_rejected(rejected));
    }
    let stored = ingestion.store.store(account, events).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted { accepted: stored.accepted, duplicates: stored.duplicates, rejected })))
}

fn read_events(text: &str, reading: Reading<'_>) -> Result<(Vec<Event>, Vec<RejectedEvent>), ApiError> {
    let documents = json::documents(text).map_err(|error| malformed(&error.to_string()))?;
    if documents.len() > MOST_EVENTS {
        return Err(ApiError::new(Code::BodyTooLarge, format!("More than {MOST_EVENTS} events; send them in parts.")));
    }
    let (mut events, mut rejected) = (Vec::with_capacity(documents.len()), Vec::new());
    for (index, document) in documents.into_iter().enumerate() {
        match read_event(document, reading) {
            Ok(event) => events.push(event),
            Err((event_id, Rejection { code, pointer, detail })) => {
                rejected.push(RejectedEvent { index, event_id, code, detail, pointer });
            }
        }
    }
    Ok((events, rejected))
}

fn read_event(document: &RawValue, reading: Reading<'_>) -> Result<Event, (Option<String>, Rejection)> {
    let text = document.get();
    if text.len() > LARGEST_EVENT {
        return Err((
            None,
            Rejection::new("event_too_large", "", format!("the event has more than {} KiB", LARGEST_EVENT >> 10)),
        ));
    }
    let value = json::read(text).map_err(|error| (None, Rejection::new("malformed_event", "", error.to_string())))?;
    let event_id = value.get("event_id").and_then(|id| id.as_str()).map(|id| crate::query::shown(id).into_owned());
    Event::read(value, reading).map_err(|rejection| (event_id, rejection))
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

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::UnknownAccount(account) => Self::internal(format!("no store for {account}")),
            StoreError::Query(error) if error.is_transient() => {
                let cause = error.message;
                let told = Self::new(Code::EngineUnavailable, "The events could not be stored; send them again.")
                    .retry_after(5);
                Self { cause: Some(cause), ..told }
            }
            StoreError::Query(error) => Self::internal(error.message),
        }
    }
}
