//! Events: from a document to a row, by named steps, each with its own reasons to refuse.

use std::collections::HashSet;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::catalogue::{self, FieldType};
use super::person::hashed;
use super::rejection::Rejection;
use crate::json::{Json, Object, Text};
use crate::query::shown;
use crate::rows::{Event, Suggestion};

/// How far a client's clock may be ahead.
const MOST_HOURS_AHEAD: i64 = 24;
/// Bytes of one event.
pub const LARGEST_EVENT: usize = 256 << 10;
/// Characters of an event's name.
const LONGEST_NAME: usize = 200;
/// Characters of an id or a name.
const LONGEST_TEXT: usize = 1_024;
const MOST_SUGGESTIONS: usize = 1_000;

/// What an event is read with.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    pub now: DateTime<Utc>,
    /// Days that events are kept; 0 = for ever.
    pub retention_days: u32,
    /// Raw user ids are hashed with this.
    pub salt: &'a str,
}

impl Reading<'_> {
    /// Refuses times that nobody can mean, and those that would be deleted at once.
    pub fn check_time(&self, time: DateTime<Utc>, pointer: &str) -> Result<(), Rejection> {
        if time > self.now + Duration::hours(MOST_HOURS_AHEAD) {
            let detail = format!("the time is more than {MOST_HOURS_AHEAD} hours ahead");
            return Err(Rejection::new("in_the_future", pointer, detail));
        }
        let year_2000 = DateTime::from_timestamp(946_684_800, 0).expect("the year 2000");
        let oldest = match self.retention_days {
            0 => year_2000,
            days => year_2000.max(self.now - Duration::days(days.into())),
        };
        if time < oldest {
            let detail = match self.retention_days {
                0 => "the time is before the year 2000".to_owned(),
                days => format!("the time is longer ago than rows are kept, {days} days"),
            };
            return Err(Rejection::new("too_old", pointer, detail));
        }
        Ok(())
    }

    /// The end of a span. One before its start, or one that no clock can have shown, is none: it says nothing
    /// about how long the span took.
    pub fn end_time(&self, start_time: DateTime<Utc>, end_time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let is_possible = end_time >= start_time && end_time <= self.now + Duration::hours(MOST_HOURS_AHEAD);
        if !is_possible {
            metrics::counter!("chartwell_spans_without_end_total").increment(1);
        }
        is_possible.then_some(end_time)
    }
}

/// Reads an event.
pub fn read<'a>(document: Json<'a>, reading: Reading<'_>) -> Result<Event<'a>, Rejection> {
    let Json::Object(document) = document else {
        return Err(Rejection::new("malformed_event", "", "an event is a JSON object"));
    };
    let mut fields = Fields::of(document)?;
    let event = fields.name()?;
    let event_id = fields.id()?;
    let time_utc = fields.time(reading)?;
    let visitor_id = fields.visitor(reading.salt)?;
    let profile_code = fields.text(Field::ProfileCode)?;
    let platform_session_id = fields.text(Field::Session)?;
    let platform = fields.text(Field::Platform)?;
    let agent_id = fields.text(Field::AgentId)?;
    let agent_email = fields.text(Field::AgentEmail)?;
    let agent_name = fields.text(Field::AgentName)?;
    let conversation_id = fields.text(Field::Conversation)?;
    let mut data = fields.data()?;
    let suggestions = if &*event == "Send Message" { take_suggestions(&mut data)? } else { Vec::new() };
    catalogue::check(&mut data)?;
    refuse_ambiguous_paths(&data)?;
    Ok(Event {
        event_id,
        time_utc,
        event,
        profile_code,
        platform_session_id,
        platform,
        agent_id,
        agent_email,
        agent_name,
        visitor_id,
        conversation_id,
        data,
        suggestions,
    })
}

/// The fields that are not part of `data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    Id,
    Time,
    ProfileCode,
    Session,
    Platform,
    AgentId,
    AgentEmail,
    AgentName,
    Visitor,
    User,
    Conversation,
    Data,
}

impl Field {
    const COUNT: usize = Self::Data as usize + 1;

    /// The field that has this name; some have several.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "event" | "event_type" | "name" => Self::Name,
            "event_id" => Self::Id,
            "time_utc" | "timestamp" => Self::Time,
            "profile_code" => Self::ProfileCode,
            "platform_session_id" | "session_id" => Self::Session,
            "platform" => Self::Platform,
            "agent_id" => Self::AgentId,
            "agent_email" => Self::AgentEmail,
            "agent_name" => Self::AgentName,
            "visitor_id" | "user_id_hash" => Self::Visitor,
            "user_id" => Self::User,
            "conversation_id" => Self::Conversation,
            "data" => Self::Data,
            _ => return None,
        })
    }
}

/// The fields of an event in their places, each with the name that it was sent under; none is null.
struct Fields<'a> {
    placed: [Option<(Text<'a>, Json<'a>)>; Field::COUNT],
    others: Vec<(Text<'a>, Json<'a>)>,
}

impl<'a> Fields<'a> {
    /// Puts every field into its place; two names of one field with different values contradict each other.
    fn of(document: Object<'a>) -> Result<Self, Rejection> {
        let mut fields = Self { placed: Default::default(), others: Vec::new() };
        for (name, value) in document {
            let Some(field) = Field::named(&name) else {
                fields.others.push((name, value));
                continue;
            };
            match &mut fields.placed[field as usize] {
                _ if value.is_null() => {}
                place @ None => *place = Some((name, value)),
                Some((_, known)) if *known == value => {}
                Some((first, _)) => {
                    let detail =
                        format!("`{first}` and `{name}` are two spellings of one field, with different values");
                    return Err(Rejection::new("conflicting_fields", &format!("/{name}"), detail));
                }
            }
        }
        Ok(fields)
    }

    fn take(&mut self, field: Field) -> Option<(Text<'a>, Json<'a>)> {
        self.placed[field as usize].take()
    }

    fn text(&mut self, field: Field) -> Result<Option<Text<'a>>, Rejection> {
        let Some((name, value)) = self.take(field) else { return Ok(None) };
        let pointer = || format!("/{name}");
        match FieldType::Text.read(value, pointer)? {
            // An empty text is no value: it would be neither a group nor a filter.
            Json::Text(text) if text.is_empty() => Ok(None),
            Json::Text(text) if text.len() > LONGEST_TEXT => {
                let pointer = pointer();
                Err(Rejection::new("too_long", &pointer, format!("`{pointer}` is longer than {LONGEST_TEXT} bytes")))
            }
            Json::Text(text) => Ok(Some(text)),
            _ => Ok(None),
        }
    }

    fn name(&mut self) -> Result<Text<'a>, Rejection> {
        match self.take(Field::Name) {
            Some((_, Json::Text(name))) if !name.trim().is_empty() && name.len() <= LONGEST_NAME => Ok(name),
            Some((spelling, Json::Text(name))) => {
                let why = if name.len() > LONGEST_NAME {
                    format!("is longer than {LONGEST_NAME} bytes")
                } else {
                    "is empty".to_owned()
                };
                let detail = format!("the name of the event {why}");
                Err(Rejection::new("invalid_event_name", &format!("/{spelling}"), detail))
            }
            Some((spelling, _)) => Err(Rejection::invalid_type(&format!("/{spelling}"), "a text")),
            None => Err(Rejection::new("missing_event_name", "/event", "an event needs a name, in `event`")),
        }
    }

    fn id(&mut self) -> Result<Uuid, Rejection> {
        match self.take(Field::Id) {
            None => Ok(Uuid::now_v7()),
            Some((_, Json::Text(id))) => Uuid::try_parse(&id).map_err(|_| {
                Rejection::new("invalid_event_id", "/event_id", format!("`{}` is not a UUID", shown(&id)))
            }),
            Some(_) => Err(Rejection::invalid_type("/event_id", "a UUID")),
        }
    }

    fn time(&mut self, reading: Reading<'_>) -> Result<DateTime<Utc>, Rejection> {
        let Some((name, value)) = self.take(Field::Time) else { return Ok(reading.now) };
        let pointer = format!("/{name}");
        let Json::Text(text) = value else { return Err(Rejection::invalid_type(&pointer, TIME)) };
        let time = moment(&text, &pointer)?;
        reading.check_time(time, &pointer)?;
        Ok(time)
    }

    /// The visitor; a raw user id is hashed, and never kept.
    fn visitor(&mut self, salt: &str) -> Result<Option<Text<'a>>, Rejection> {
        let raw = self.text(Field::User)?;
        let known = self.text(Field::Visitor)?;
        Ok(known.or_else(|| raw.map(|raw| hashed(&raw, salt).into())))
    }

    /// `data`, and every field that has no place of its own.
    fn data(mut self) -> Result<Object<'a>, Rejection> {
        let mut data = match self.take(Field::Data) {
            None => Object::default(),
            Some((_, Json::Object(data))) => data,
            Some(_) => return Err(Rejection::invalid_type("/data", "a JSON object")),
        };
        for (name, value) in self.others {
            if data.get(&name).is_some_and(|known| *known != value) {
                let detail = format!("`{}` is in the event and in its `data`, with different values", shown(&name));
                return Err(Rejection::new("conflicting_fields", &format!("/{name}"), detail));
            }
            data.insert(name, value);
        }
        Ok(data)
    }
}

const TIME: &str = "a time with an offset, like `2026-02-01T12:00:00Z`";

/// Reads a time, to the microsecond that columns hold.
pub fn moment(text: &str, pointer: &str) -> Result<DateTime<Utc>, Rejection> {
    let time = DateTime::parse_from_rfc3339(text)
        .map_err(|_| Rejection::new("invalid_time", pointer, format!("`{}` is not {TIME}", shown(text))))?;
    Ok(DateTime::from_timestamp_micros(time.timestamp_micros()).expect("RFC 3339 has four digits for the year"))
}

fn take_suggestions<'a>(data: &mut Object<'a>) -> Result<Vec<Suggestion<'a>>, Rejection> {
    let list = match data.remove("suggestions") {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::List(list)) if list.len() <= MOST_SUGGESTIONS => list,
        Some(Json::List(_)) => {
            return Err(Rejection::new(
                "too_long",
                "/data/suggestions",
                format!("more than {MOST_SUGGESTIONS} suggestions"),
            ));
        }
        Some(_) => return Err(Rejection::invalid_type("/data/suggestions", "a list")),
    };
    list.into_iter().enumerate().map(|(index, suggestion)| take_suggestion(suggestion, index)).collect()
}

fn take_suggestion(suggestion: Json<'_>, index: usize) -> Result<Suggestion<'_>, Rejection> {
    let pointer = || format!("/data/suggestions/{index}");
    let Json::Object(fields) = suggestion else { return Err(Rejection::invalid_type(&pointer(), "a JSON object")) };
    let mut suggestion = Suggestion::default();
    for (name, value) in fields {
        let read = |field_type: FieldType, value| field_type.read(value, || format!("{}/{name}", pointer()));
        let text = |value| if let Json::Text(text) = value { text } else { Text::default() };
        match &*name {
            "id" => suggestion.id = text(read(FieldType::Text, value)?),
            "source" => suggestion.source = text(read(FieldType::Text, value)?),
            "edited" => suggestion.edited = read(FieldType::Truth, value)?.as_bool().unwrap_or(false),
            "len_text" => {
                let length = read(FieldType::WholeNumber, value)?.as_u64();
                suggestion.len_text = length.and_then(|length| u32::try_from(length).ok()).unwrap_or(0);
            }
            _ => suggestion.rest.insert(name, value),
        }
    }
    Ok(suggestion)
}

/// `{"a.b": 1, "a": {"b": 2}}` names one path twice, and the engine refuses it.
fn refuse_ambiguous_paths(data: &Object<'_>) -> Result<(), Rejection> {
    fn walk(object: &Object<'_>, outer: Option<&str>, known: &mut HashSet<String>) -> Result<(), Rejection> {
        for (key, value) in object.iter() {
            let path = outer.map_or_else(|| key.to_owned(), |outer| format!("{outer}.{key}"));
            match value {
                Json::Object(inner) if !inner.is_empty() => walk(inner, Some(&path), known)?,
                _ if known.insert(path.clone()) => {}
                _ => {
                    let detail = format!("`data` has two values for the path `{}`", shown(&path));
                    return Err(Rejection::new("duplicate_path", "/data", detail));
                }
            }
        }
        Ok(())
    }
    // Without a dot in a key or an object within, two keys are two paths.
    let may_clash = |(key, value): (&str, &Json<'_>)| key.contains('.') || matches!(value, Json::Object(_));
    if data.iter().any(may_clash) { walk(data, None, &mut HashSet::new()) } else { Ok(()) }
}
