//! What ingestion takes and answers, for the OpenAPI document.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// An event. Every key that is not named here goes into `data`.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "only described: events are read field by field, so that a bad one can be named")]
pub struct EventDocument {
    /// Made when it is missing. The same id is stored once.
    #[schema(format = Uuid, example = "018f5a3e-7b2c-7d4e-9a1b-2c3d4e5f6a7b")]
    event_id: Option<String>,
    /// When it happened, RFC 3339 with an offset; also spelled `timestamp`. Now, when it is missing.
    #[schema(format = DateTime, example = "2026-02-01T12:00:00.000Z")]
    time_utc: Option<String>,
    /// Its name; also spelled `event_type` or `name`.
    #[schema(example = "Send Message")]
    event: String,
    #[schema(example = "support")]
    profile_code: Option<String>,
    /// Also spelled `session_id`.
    platform_session_id: Option<String>,
    #[schema(example = "genesys")]
    platform: Option<String>,
    #[schema(example = "agent-17")]
    agent_id: Option<String>,
    agent_email: Option<String>,
    agent_name: Option<String>,
    /// Also spelled `user_id_hash`; a raw `user_id` is hashed with the account's salt and not kept.
    visitor_id: Option<String>,
    conversation_id: Option<String>,
    /// What is particular to the event. Fields of the catalogue have one type in every event.
    #[schema(value_type = Option<Object>, example = json!({"text_length": 120, "suggestions": [{"id": "r1", "source": "gpt", "len_text": 80, "edited": false}]}))]
    data: Option<BTreeMap<String, String>>,
}

/// An event of the product. There are no other fields; names may also be written in camelCase.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "only described: events are read field by field, so that a bad one can be named")]
pub struct ProductEventDocument {
    /// Made when it is missing. The same id is stored once.
    #[schema(format = Uuid, example = "018f5a3e-7b2c-7d4e-9a1b-2c3d4e5f6a7b")]
    event_id: Option<String>,
    /// `page_viewed`, `feature_viewed`, `filter_changed`, `chart_interacted`, `client_error` or `session_ended`.
    #[schema(example = "feature_viewed")]
    name: String,
    #[schema(example = "2026-05-telemetry-v1")]
    schema_version: String,
    /// A digest in hexadecimal.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    org_id_hash: String,
    /// A random id of at least 16 characters.
    #[schema(example = "session-0f9a8b7c6d5e")]
    session_id: String,
    /// A random id of at least 16 characters.
    #[schema(example = "visitor-0f9a8b7c6d5e")]
    anonymous_user_id: String,
    /// With placeholders where a URL has ids; no host, no query string.
    #[schema(example = "/reports/:id")]
    route_pattern: String,
    /// When it happened, RFC 3339 with an offset. Now, when it is missing.
    #[schema(format = DateTime, example = "2026-05-01T12:00:00.000Z")]
    occurred_at: Option<String>,
    /// Where it comes from; `web` when it is missing.
    source: Option<String>,
    /// The fields that the catalogue has for this name: names of the product's own, and counts.
    #[schema(value_type = Option<Object>, example = json!({"feature": "saved-views", "surface": "sidebar"}))]
    payload: Option<BTreeMap<String, String>>,
}

/// What became of the events.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Accepted {
    /// Events that are stored now.
    #[schema(example = 99)]
    pub accepted: u64,
    /// Events whose id was stored before, or was twice in the body: stored once.
    #[schema(example = 0)]
    pub duplicates: u64,
    pub rejected: Vec<RejectedEvent>,
}

/// An event that was not accepted, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RejectedEvent {
    /// Its place in the body, from 0.
    #[schema(example = 3)]
    pub index: usize,
    /// Its id, where it has a readable one.
    pub event_id: Option<String>,
    #[schema(example = "in_the_future")]
    pub code: &'static str,
    #[schema(example = "the time is more than 24 hours ahead")]
    pub detail: String,
    /// JSON pointer into the event.
    #[schema(example = "/time_utc")]
    pub pointer: String,
}
