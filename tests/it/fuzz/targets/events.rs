//! Events and product events: from the text of a body to rows.

use std::sync::LazyLock;

use chartwell::config::Kinds;
use chartwell::config::UnknownEvents;
use chartwell::ingest::anonymise::Anonymiser;
use chartwell::ingest::documents::documents;
use chartwell::ingest::endpoints::read_documents;
use chartwell::ingest::{event, product_event};
use chartwell::rows::{Event, ProductEvent, Rows};
use chrono::Duration;
use serde_json::json;
use serde_json::value::RawValue;

use super::rows::encoded;
use super::{now, reading};

static ANONYMISER: LazyLock<Anonymiser> = LazyLock::new(|| Anonymiser::new(Kinds::ALL, Vec::new(), "salt"));

pub fn check_events(bytes: &[u8]) -> Vec<Rows> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check_forms(text);
    }
    let Ok(read) = read_documents(bytes, |document| event::read(document, reading())) else { return Vec::new() };
    let read: Vec<_> = read.collect();
    assert_eq!(read.len(), documents(bytes).map_or(0, |documents| documents.len()));
    let mut rows: Vec<Event<'_>> = read.into_iter().flatten().map(|(row, _)| row).collect();
    for row in &rows {
        assert!((1..=200).contains(&row.event.chars().count()), "{:?}", row.event);
        assert!(row.time_utc <= now() + Duration::hours(24), "{}", row.time_utc);
    }
    let read = encoded(&rows, |bytes, row| postcard::from_bytes::<Event<'_>>(bytes).is_ok_and(|read| read == *row));
    rows.iter_mut().for_each(|row| ANONYMISER.clean(row));
    let cleaned = encoded(&rows, |bytes, row| postcard::from_bytes::<Event<'_>>(bytes).is_ok_and(|read| read == *row));
    // What waits in the spool is cleaned; what an account keeps as it is has to be stored as well.
    read.into_iter().chain(cleaned).collect()
}

pub fn check_product_events(bytes: &[u8]) -> Vec<Rows> {
    let Ok(read) = read_documents(bytes, |document| product_event::read(document, now(), UnknownEvents::Count)) else {
        return Vec::new();
    };
    let rows: Vec<ProductEvent<'_>> = read.flatten().map(|(row, _)| row).collect();
    let rows =
        encoded(&rows, |bytes, row| postcard::from_bytes::<ProductEvent<'_>>(bytes).is_ok_and(|read| read == *row));
    for row in rows.iter().flat_map(|rows| rows.iter().map(|row| rows.table.document(row, now()))) {
        let text = row.expect("it was encoded").to_string();
        let told = ["@", "://", "?", "&", "#"].iter().find(|told| text.contains(**told));
        assert!(told.is_none(), "what may tell who somebody is was accepted: {text}");
    }
    rows
}

/// Whatever documents a text has: as a list, wrapped, or one a line they are the same.
fn check_forms(text: &str) {
    let Ok(Ok(read)) = documents(text.as_bytes()).map(|read| read.into_iter().collect::<Result<Vec<&str>, _>>()) else {
        return;
    };
    if !read.iter().all(|document| serde_json::from_str::<&RawValue>(document).is_ok()) {
        return;
    }
    let list = format!("[{}]", read.join(","));
    let mut forms = vec![format!("{{\"events\":{list}}}"), list];
    // A single line may itself be wrapped, and a list is a list.
    if read.len() > 1 && read.iter().all(|document| document.starts_with('{')) {
        forms.push(read.join("\n"));
    }
    for form in forms {
        let again = documents(form.as_bytes()).unwrap_or_else(|error| panic!("{error}: {form}"));
        assert!(again.iter().map(|document| document.as_deref()).eq(read.iter().copied().map(Ok)), "{form}");
    }
}

pub fn events() -> Vec<Vec<u8>> {
    let message = json!({
        "event_id": "018f5a3e-7b2c-7d4e-9a1b-2c3d4e5f6a7b", "timestamp": "2026-02-01T12:00:00.123456+02:00", "event_type": "Send Message",
        "profile_code": "support", "session_id": "s1", "platform": "genesys", "agent_id": 17, "agent_email": "a@b.example", "agent_name": "",
        "user_id": "jane", "conversation_id": "c1", "channel": "chat", "nested": {"a": {"b": [1, "x", null]}, "c.d": {"e": 1}},
        "data": {"text_length": 120, "note": "\u{0} 💶 \"'\\ jane@example.org",
            "suggestions": [{"id": 7, "source": "gpt", "len_text": 80, "edited": true, "rank": 2}, {"source": "rec"}]},
    });
    let typed = json!({
        "event": "interaction", "time_utc": "2026-01-31T23:59:59Z", "visitor_id": "v",
        "data": {"outcome": "ok", "latency_ms": 0.5, "duration_ms": 4_111_111_111_111_111_u64, "interrupted": false, "model": "m",
            "prompt_tokens": 4_294_967_295_u32, "message": "call +31612345678", "rank": 0, "password": "hunter2"},
    });
    let odd = json!({
        "name": "odd", "a.b": 1, "": {"": 2}, "numbers": [1, 2.5, -0.0, 1e300, u64::MAX, i64::MIN], "mixed": [1, "a", [2], {"x": 1}, null],
        "objects": [{"x": 1}, {"x": "y", "z": {}}], "jane@example.org": {"k": 1}, "<email>": 2, "dates": ["2026-02-01", "2026-02-01 10:00:00"],
    });
    let list = json!([message, typed, odd, {"event": "bad", "time_utc": "yesterday"}]);
    let texts = [
        message.to_string(),
        typed.to_string(),
        odd.to_string(),
        list.to_string(),
        json!({"events": list}).to_string(),
        format!("{typed}\n{odd}\n"),
    ];
    texts.map(String::into_bytes).into()
}

pub fn product_events() -> Vec<Vec<u8>> {
    let event = |name: &str, payload: serde_json::Value| {
        json!({
            "event_id": "018f5a3e-7b2c-7d4e-9a1b-2c3d4e5f6a7b", "name": name, "schemaVersion": "2026-05-telemetry-v1",
            "org_id_hash": "0123456789abcdef0123456789abcdef", "sessionId": "s-0123456789abcdef", "anonymous_user_id": "a-0123456789abcdef",
            "routePattern": "/reports/:id", "occurred_at": "2026-02-01T12:00:00Z", "source": "web", "payload": payload,
        })
        .to_string()
    };
    let events = [
        event("page_viewed", json!({"previousRoutePattern": "/orgs/[org]"})),
        event("filter_changed", json!({"view": "agents", "filter_key": "platform", "valueCount": 3})),
        event("session_ended", json!({"duration_ms": 60_000, "pagesViewed": 4, "interactions": 0})),
        event("client_error", json!({"boundary": "root", "error_class": "TypeError"})),
    ];
    let all = format!("[{}]", events.join(","));
    events.into_iter().chain([all]).map(String::into_bytes).collect()
}
