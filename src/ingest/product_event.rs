//! Product events: a strict contract of privacy. What is not in the catalogue is refused, and so is what
//! looks like a raw URL, a query string, an e-mail address, somebody's id, or a value that was looked at.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use regex::Regex;
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
            Field::key("filter_key", "filterKey"),
            Field::count("value_count", "valueCount"),
        ],
    ),
    (
        "chart_interacted",
        &[Field::word("chart", "chart"), Field::word("action", "action"), Field::word("surface", "surface")],
    ),
    ("client_error", &[Field::word("boundary", "boundary"), Field::class("error_class", "errorClass")]),
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
    /// One without the value that belongs to it.
    Key,
    /// One without what is said of it.
    Class,
    Route,
    Count,
}

impl Field {
    const fn word(name: &'static str, camel: &'static str) -> Self {
        Self { name, camel, kind: Kind::Word }
    }

    const fn key(name: &'static str, camel: &'static str) -> Self {
        Self { name, camel, kind: Kind::Key }
    }

    const fn class(name: &'static str, camel: &'static str) -> Self {
        Self { name, camel, kind: Kind::Class }
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
            (Kind::Key, Json::Text(text)) if text.contains(':') => {
                let detail = format!("`{pointer}` must be a key, without the value that was selected");
                return Err(Rejection::new("not_a_name", &pointer, detail));
            }
            (Kind::Class, Json::Text(text)) if text.contains(' ') => {
                let detail = format!("`{pointer}` must be the name of a class, without a message");
                return Err(Rejection::new("not_a_name", &pointer, detail));
            }
            (Kind::Word | Kind::Key | Kind::Class, Json::Text(text)) => {
                check_word(&text, &pointer)?;
                read.insert(field.name, text);
            }
            (Kind::Route, Json::Text(text)) => {
                check_route(&text, &pointer)?;
                read.insert(field.name, text);
            }
            (Kind::Count, Json::Int(number)) if u32::try_from(number).is_ok() => read.insert(field.name, number),
            (Kind::Count, _) => return Err(Rejection::invalid_type(&pointer, "a whole number from 0 to 4294967295")),
            (_, _) => return Err(Rejection::invalid_type(&pointer, "a text")),
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
        && !is_counted_up(&id)
        && !is_account_or_secret(&id);
    if is_made_up {
        return Ok(id);
    }
    let pointer = format!("/{}", spellings[0]);
    let detail =
        format!("`{pointer}` must be a random id of at least {SHORTEST_PSEUDONYM} letters, digits, `-` and `_`");
    Err(Rejection::new("raw_id", &pointer, detail))
}

/// Whether an id is a number, or one behind a word, that a database counts up: with zeros in front.
fn is_counted_up(id: &str) -> bool {
    let mut segments = id.split(['-', '_']);
    let is_number = |segment: &str| segment.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |segment: &str| segment.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_number(id) || (id.contains("000") && segments.all(|segment| is_number(segment) || is_word(segment)))
}

/// What names of a product are not: places on a network, and numbers that are somebody's. A date is neither.
static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    let host = r"(?i)//|\bwww\.|\blocalhost\b|\.(com|net|org|io|eu|internal|local)(:|/|$)|:[0-9]{2,5}(/|$)";
    Regex::new(host).expect("a pattern")
});
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[0-9]{5,}|[0-9](?:[ ./-]?[0-9]){6,}|(?i)(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}").expect("a pattern")
});
static DATE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]\b|\b20[0-9]{6}\b").expect("a pattern"));

/// A name: no address, no URL, nothing of a query string, no number of somebody.
fn check_word(text: &str, pointer: &str) -> Result<(), Rejection> {
    let refuse = |code, why: &str| Err(Rejection::new(code, pointer, format!("`{pointer}` {why}")));
    if text.contains('@') {
        return refuse("email", "looks like an e-mail address");
    }
    if PLACE.is_match(text) || text.contains(['?', '&', '=', '#']) {
        return refuse("raw_url", "looks like a URL or a query string");
    }
    let is_name = (1..=LONGEST_TEXT).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'.' | b':' | b'/' | b'-'));
    if !is_name {
        return refuse("not_a_name", "must be a name of letters, digits, and ` _.:/-`");
    }
    let is_numbered = NUMBER.is_match(&DATE.replace_all(text, "date"));
    if is_numbered || is_personal(text) { refuse("personal_data", PERSONAL) } else { Ok(()) }
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
    fn names_are_of_things_and_not_of_people_or_places() {
        for good in [
            "calls.list",
            "calls:list",
            "report 2026",
            "2026-05-telemetry-v1",
            "2026-05-14",
            "v2.10.3",
            "chart-12",
            "TypeError",
        ] {
            assert!(check_word(good, "/r").is_ok(), "{good}");
        }
        for bad in [
            "0612345678",
            "06-12345678",
            "31612345678",
            "tel 0612345678",
            "555-123-4567",
            "555.123.4567",
            "1-800-555-0199",
            "020 7946 0958",
            "AA:BB:CC:DD:EE:FF",
            "//acme.com/a",
            "www.acme.com",
            "crm.acme.com/customers",
            "localhost:8080/x",
            "db:5432",
            "user_id:12345",
            "customer-12345",
            "2026-05-14 0612345678",
        ] {
            assert!(check_word(bad, "/r").is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_that_are_counted_up_are_no_pseudonyms() {
        for bad in [
            "user-0000000000000042",
            "acct-000000000001",
            "customer-00012345678",
            "000000000000-000042",
            "1234567890123456",
        ] {
            assert!(is_counted_up(bad), "{bad}");
        }
        for good in [
            "a-0123456789abcdef",
            "visitor-8347283462834723",
            "018f5a3e-7b2c-7d4e-9a1b-2c3d4e5f6a7b",
            "s-000000000000abcd",
        ] {
            assert!(!is_counted_up(good), "{good}");
        }
    }

    #[test]
    fn keys_have_no_values_and_classes_no_messages() {
        let read = |name: &str, payload: &str| {
            let text = format!(
                r#"{{"name":"{name}","org_id_hash":"0123456789abcdef0123456789abcdef","schema_version":"v1","session_id":"s-0123456789abcdef",
                "anonymous_user_id":"a-0123456789abcdef","route_pattern":"/","payload":{payload}}}"#
            );
            let now = "2026-02-01T00:00:00Z".parse().unwrap();
            read(json::read(&text).unwrap(), now, UnknownEvents::Refuse).map(drop).map_err(|refused| refused.code)
        };
        assert_eq!(read("filter_changed", r#"{"filter_key":"status"}"#), Ok(()));
        assert_eq!(read("filter_changed", r#"{"filter_key":"status:open"}"#), Err("not_a_name"));
        assert_eq!(read("client_error", r#"{"error_class":"net.TimeoutError"}"#), Ok(()));
        assert_eq!(read("client_error", r#"{"error_class":"TypeError: cannot read jane"}"#), Err("not_a_name"));
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
