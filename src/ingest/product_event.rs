//! Product events: a strict contract of privacy. What is not in the catalogue is refused, and so is what
//! looks like a raw URL, a query string, an e-mail address, somebody's id, or a value that was looked at.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::anonymise::{is_account_or_secret, is_personal};
use super::event::{Reading, moment};
use super::rejection::Rejection;
use crate::config::UnknownEvents;
use crate::json::{Json, Object, Text};
use crate::query::shown;
use crate::rows::ProductEvent;

/// Days that product events are kept, whatever the retention of other rows is.
pub const RETENTION_DAYS: u32 = 180;
/// Bytes of any text.
const LONGEST_TEXT: usize = 200;
const SHORTEST_PSEUDONYM: usize = 16;
/// What is wrong with a name that says who somebody is.
const PERSONAL: &str = "looks like a telephone number, a card, an account, an address, an id of a person, or a secret";
/// The name of events that are in no catalogue, where they are counted. They have no payload.
pub const UNKNOWN: &str = "unknown";

/// The events that there are, each with the fields of its payload.
const CATALOGUE: [(&str, &[Field]); 6] = [
    ("page_viewed", &[Field::route("previous_route_pattern", "previousRoutePattern")]),
    ("feature_viewed", &[Field::word("feature", "feature"), Field::word("surface", "surface")]),
    (
        "filter_changed",
        &[
            Field::word("view", "view"),
            Field::word("filter_key", "filterKey"),
            Field::count("value_count", "valueCount"),
        ],
    ),
    (
        "chart_interacted",
        &[Field::word("chart", "chart"), Field::word("action", "action"), Field::word("surface", "surface")],
    ),
    ("client_error", &[Field::word("boundary", "boundary"), Field::word("error_class", "errorClass")]),
    (
        "session_ended",
        &[
            Field::count("duration_ms", "durationMs"),
            Field::count("pages_viewed", "pagesViewed"),
            Field::count("interactions", "interactions"),
        ],
    ),
];

/// The names of the events that there are.
pub fn names() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|(name, _)| *name)
}

/// The fields of an event's payload; none of an event that there is not.
pub fn payload_fields(name: &str) -> impl Iterator<Item = &'static str> {
    let fields = CATALOGUE.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, fields)| fields);
    fields.iter().map(|field| field.name)
}

/// A field of a payload, in its two spellings.
#[derive(Clone, Copy)]
struct Field {
    name: &'static str,
    camel: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// A name that the product has given to something of its own.
    Word,
    Route,
    Count,
}

impl Field {
    const fn word(name: &'static str, camel: &'static str) -> Self {
        Self { name, camel, kind: Kind::Word }
    }

    const fn route(name: &'static str, camel: &'static str) -> Self {
        Self { name, camel, kind: Kind::Route }
    }

    const fn count(name: &'static str, camel: &'static str) -> Self {
        Self { name, camel, kind: Kind::Count }
    }
}

/// Reads an event of the product.
pub fn read<'a>(document: Json<'a>, now: DateTime<Utc>, unknown: UnknownEvents) -> Result<ProductEvent<'a>, Rejection> {
    let Json::Object(mut fields) = document else {
        return Err(Rejection::new("malformed_event", "", "an event is a JSON object"));
    };
    let name = require(&mut fields, ["name", "name"], "")?;
    let known = CATALOGUE.iter().find(|(known, _)| *known == &*name);
    if known.is_none() && unknown == UnknownEvents::Refuse {
        let detail = format!("`{}` is not one of {}", shown(&name), names().collect::<Vec<_>>().join(", "));
        return Err(Rejection::new("unknown_event_name", "/name", detail));
    }
    let event_id = match take(&mut fields, ["event_id", "eventId"]) {
        None => Uuid::now_v7(),
        Some((spelling, Json::Text(id))) => Uuid::try_parse(&id)
            .map_err(|_| Rejection::new("invalid_event_id", &format!("/{spelling}"), "the id of an event is a UUID"))?,
        Some((spelling, _)) => return Err(Rejection::invalid_type(&format!("/{spelling}"), "a UUID")),
    };
    let occurred_at = occurred_at(&mut fields, now)?;
    let org_id_hash = require(&mut fields, ["org_id_hash", "orgIdHash"], "")?;
    if !super::genai::is_hash(&org_id_hash) {
        return Err(Rejection::new(
            "raw_id",
            "/org_id_hash",
            "`/org_id_hash` must be a digest in hexadecimal, not an id",
        ));
    }
    let anonymous_user_id = pseudonym(&mut fields, ["anonymous_user_id", "anonymousUserId"])?;
    let session_id = pseudonym(&mut fields, ["session_id", "sessionId"])?;
    let schema_version = require(&mut fields, ["schema_version", "schemaVersion"], "")?;
    check_word(&schema_version, "/schema_version")?;
    let route_pattern = require(&mut fields, ["route_pattern", "routePattern"], "")?;
    check_route(&route_pattern, "/route_pattern")?;
    let source = match take(&mut fields, ["source", "source"]) {
        None => Text::from("web"),
        Some((_, Json::Text(source))) => source,
        Some(_) => return Err(Rejection::invalid_type("/source", "a text")),
    };
    check_word(&source, "/source")?;
    let payload = match take(&mut fields, ["payload", "payload_json"]) {
        None => Object::default(),
        Some((_, Json::Object(payload))) => payload,
        Some((spelling, _)) => return Err(Rejection::invalid_type(&format!("/{spelling}"), "a JSON object")),
    };
    refuse_rest(&fields, "")?;
    // What nobody knows cannot be checked, so nothing of it is kept, its name included.
    let (name, payload) = match known {
        Some((_, payload_fields)) => (name, read_payload(payload, payload_fields)?),
        None => (Text::from(UNKNOWN), Object::default()),
    };
    Ok(ProductEvent {
        org_id_hash,
        event_id,
        name,
        schema_version,
        session_id,
        anonymous_user_id,
        route_pattern,
        payload,
        occurred_at,
        source,
    })
}

fn read_payload<'a>(mut payload: Object<'a>, fields: &[Field]) -> Result<Object<'a>, Rejection> {
    let mut read = Object::default();
    for field in fields {
        let Some((spelling, value)) = take(&mut payload, [field.name, field.camel]) else { continue };
        let pointer = format!("/payload/{spelling}");
        match (field.kind, value) {
            (Kind::Word, Json::Text(text)) => {
                check_word(&text, &pointer)?;
                read.insert(field.name, text);
            }
            (Kind::Route, Json::Text(text)) => {
                check_route(&text, &pointer)?;
                read.insert(field.name, text);
            }
            (Kind::Count, Json::Int(number)) if u32::try_from(number).is_ok() => read.insert(field.name, number),
            (Kind::Count, _) => return Err(Rejection::invalid_type(&pointer, "a whole number from 0 to 4294967295")),
            (Kind::Word | Kind::Route, _) => return Err(Rejection::invalid_type(&pointer, "a text")),
        }
    }
    refuse_rest(&payload, "/payload")?;
    Ok(read)
}

/// What is left over is in no catalogue.
fn refuse_rest(fields: &Object<'_>, place: &str) -> Result<(), Rejection> {
    match fields.iter().next() {
        None => Ok(()),
        Some((name, _)) => {
            let detail = format!(
                "`{place}/{}` is not a field of this event; only those of the catalogue are taken",
                shown(name)
            );
            Err(Rejection::new("forbidden_field", &format!("{place}/{name}"), detail))
        }
    }
}

fn take<'a>(fields: &mut Object<'a>, spellings: [&'static str; 2]) -> Option<(&'static str, Json<'a>)> {
    spellings.into_iter().find_map(|spelling| {
        let value = fields.remove(spelling).filter(|value| !value.is_null())?;
        Some((spelling, value))
    })
}

fn require<'a>(fields: &mut Object<'a>, spellings: [&'static str; 2], place: &str) -> Result<Text<'a>, Rejection> {
    match take(fields, spellings) {
        Some((_, Json::Text(text))) if !text.is_empty() => Ok(text),
        None | Some((_, Json::Text(_))) => {
            let pointer = format!("{place}/{}", spellings[0]);
            Err(Rejection::new("missing_field", &pointer, format!("`{pointer}` is needed")))
        }
        Some((spelling, _)) => Err(Rejection::invalid_type(&format!("{place}/{spelling}"), "a text")),
    }
}

fn occurred_at(fields: &mut Object<'_>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Rejection> {
    let pointer = "/occurred_at";
    let time = match take(fields, ["occurred_at", "occurredAt"]) {
        None => return Ok(now),
        Some((_, Json::Text(text))) => moment(&text, pointer)?,
        Some(_) => return Err(Rejection::invalid_type(pointer, "a time with an offset")),
    };
    let reading = Reading { now, retention_days: RETENTION_DAYS, salt: "" };
    reading.check_time(time, pointer)?;
    Ok(time)
}

/// An id that the client has made up: long enough, and not a number that a database counts up.
fn pseudonym<'a>(fields: &mut Object<'a>, spellings: [&'static str; 2]) -> Result<Text<'a>, Rejection> {
    let id = require(fields, spellings, "")?;
    let is_made_up = (SHORTEST_PSEUDONYM..=LONGEST_TEXT).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && !id.bytes().all(|byte| byte.is_ascii_digit())
        && !is_account_or_secret(&id);
    if is_made_up {
        return Ok(id);
    }
    let pointer = format!("/{}", spellings[0]);
    let detail =
        format!("`{pointer}` must be a random id of at least {SHORTEST_PSEUDONYM} letters, digits, `-` and `_`");
    Err(Rejection::new("raw_id", &pointer, detail))
}

/// A name: no address, no URL, nothing of a query string.
fn check_word(text: &str, pointer: &str) -> Result<(), Rejection> {
    let refuse = |code, why: &str| Err(Rejection::new(code, pointer, format!("`{pointer}` {why}")));
    if text.contains('@') {
        return refuse("email", "looks like an e-mail address");
    }
    if text.contains("://") || text.contains(['?', '&', '=', '#']) {
        return refuse("raw_url", "looks like a URL or a query string");
    }
    let is_name = (1..=LONGEST_TEXT).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'.' | b':' | b'/' | b'-'));
    if !is_name {
        return refuse("not_a_name", "must be a name of letters, digits, and ` _.:/-`");
    }
    if is_personal(text) { refuse("personal_data", PERSONAL) } else { Ok(()) }
}

/// A pattern of a route: with placeholders where a URL has ids.
fn check_route(text: &str, pointer: &str) -> Result<(), Rejection> {
    let refuse = |code, why: &str| Err(Rejection::new(code, pointer, format!("`{pointer}` {why}")));
    if text.contains('@') {
        return refuse("email", "looks like an e-mail address");
    }
    if !text.starts_with('/')
        || text.len() > LONGEST_TEXT
        || text.contains("//")
        || text.contains(['?', '&', '=', '#', '%'])
        || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/:[]{}*$<>._-~()".contains(&byte))
    {
        return refuse("raw_url", "must be a pattern like `/reports/:id`, without host, query string or fragment");
    }
    let is_id = |segment: &str| {
        let digits = segment.bytes().filter(u8::is_ascii_digit).count();
        Uuid::try_parse(segment).is_ok() || digits >= 4 || (digits > 0 && digits == segment.len())
    };
    let is_placeholder = |segment: &str| segment.starts_with([':', '[', '{', '*', '$', '<']);
    match text.split('/').find(|segment| !is_placeholder(segment) && is_id(segment)) {
        Some(_) => refuse("raw_url", "has an id in it; write a placeholder like `:id` in its place"),
        None if is_personal(text) => refuse("personal_data", PERSONAL),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn the_catalogue_and_the_table_have_the_same_fields() {
        let mut in_catalogue: Vec<&str> =
            CATALOGUE.iter().flat_map(|(_, fields)| fields.iter().map(|field| field.name)).collect();
        in_catalogue.sort_unstable();
        in_catalogue.dedup();
        let in_table: Vec<&str> = crate::rows::PAYLOAD_PATHS.iter().map(|(name, _)| *name).collect();
        assert_eq!(in_catalogue, in_table);
    }

    #[test]
    fn routes_are_patterns() {
        for good in ["/", "/reports/:id", "/orgs/[org]/teams/{team}", "/v2/search", "/settings/*"] {
            assert!(check_route(good, "/r").is_ok(), "{good}");
        }
        for bad in [
            "reports",
            "https://x.example/a",
            "/a?b=c",
            "/a#b",
            "/orders/12345",
            "/orders/7",
            "//evil",
            "/u/jane@example.org",
            "/o/018f5a3e-7b2c-7d4e-9a1b-2c3d4e5f6a7b",
            "/a%20b",
            "/people/Jane Doe",
            "/people/José",
            "/hosts/10.77.1.5",
            "/keys/sk-proj-keyabcdefghijklmnopq",
        ] {
            assert!(check_route(bad, "/r").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_row_without_optional_fields_is_complete() {
        let text = r#"{"name":"page_viewed","orgIdHash":"0123456789abcdef0123456789abcdef","schemaVersion":"2026-05-telemetry-v1",
            "sessionId":"s-0123456789abcdef","anonymousUserId":"a-0123456789abcdef","routePattern":"/reports/:id"}"#;
        let now = "2026-02-01T00:00:00Z".parse().unwrap();
        let event = read(json::read(text).unwrap(), now, UnknownEvents::Refuse).unwrap();
        assert_eq!((event.occurred_at, &*event.source, event.payload.len()), (now, "web", 0));
    }
    #[test]
    fn of_an_unknown_event_only_that_there_was_one_is_kept() {
        let text = r#"{"name":"Jane opened /orders/12345","org_id_hash":"0123456789abcdef0123456789abcdef","schema_version":"v1",
            "session_id":"s-0123456789abcdef","anonymous_user_id":"a-0123456789abcdef","route_pattern":"/","payload":{"who":"jane@example.org"}}"#;
        let now = "2026-02-01T00:00:00Z".parse().unwrap();
        let of = |unknown| read(json::read(text).unwrap(), now, unknown);
        let counted = of(UnknownEvents::Count).unwrap();
        assert_eq!((&*counted.name, counted.payload.len()), (UNKNOWN, 0));
        assert_eq!(of(UnknownEvents::Refuse).unwrap_err().code, "unknown_event_name");
    }
}
