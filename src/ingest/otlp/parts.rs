//! Messages that are not decoded, in either encoding: two of their fields at a time are told apart.

use std::borrow::Cow;
use std::fmt;

use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json::{self, FromJson};
use super::refusals::UNREADABLE;
use crate::error::{ApiError, Code};
use crate::http::body::malformed;
use crate::ingest::documents::Several;
use crate::ingest::rejection::Rejection;

/// Items of one list, and of an export.
pub const MOST_ITEMS: usize = 100_000;

/// A message that is not decoded.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    Protobuf(&'a [u8]),
    Json(&'a str),
}

/// Parts are the same when they are at the same place.
impl PartialEq for Part<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.bytes(), other.bytes())
    }
}

/// Two fields of a message by name and number: one that holds a message, one that holds a list of messages.
#[derive(Clone, Copy)]
pub struct Fields {
    pub one: (&'static str, u32),
    pub many: (&'static str, u32),
}

/// What two fields hold.
#[derive(Default)]
pub struct Held<'a> {
    pub one: Option<Part<'a>>,
    pub many: Vec<Part<'a>>,
}

impl<'a> Part<'a> {
    fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Protobuf(bytes) => bytes,
            Self::Json(text) => text.as_bytes(),
        }
    }

    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Decodes it, if it is not larger than that.
    pub fn decode<M: Message + Default + FromJson>(self, name: &str, largest: usize) -> Result<M, Rejection> {
        if self.len() > largest {
            let detail = format!("a {name} of more than {} KiB", largest >> 10);
            return Err(Rejection::new("too_large", "", detail));
        }
        let message = match self {
            Self::Protobuf(bytes) => M::decode(bytes).map_err(|error| error.to_string()),
            Self::Json(text) => json::message(text),
        };
        message.map_err(|error| Rejection::new(UNREADABLE, "", format!("a {name} that cannot be read: {error}")))
    }

    /// Tells these fields apart.
    pub fn read(self, fields: Fields) -> Result<Held<'a>, ApiError> {
        let held = match self {
            Self::Protobuf(bytes) => read_protobuf(bytes, fields).map_err(|error| malformed(&error))?,
            Self::Json(text) => {
                let mut deserializer = serde_json::Deserializer::from_str(text);
                let held = fields.deserialize(&mut deserializer).and_then(|held| deserializer.end().map(|()| held));
                held.map_err(|error| malformed(&told(&error)))?
            }
        };
        if held.many.len() > MOST_ITEMS { Err(too_many()) } else { Ok(held) }
    }
}

/// Why a message cannot be read. Where it has another form than is wanted, without a place: that would be counted
/// from the beginning of the message, which may lie anywhere in the body.
fn told(error: &serde_json::Error) -> String {
    let told = error.to_string();
    match told.split_once(" at line ") {
        Some((what, _)) if error.is_data() => what.to_owned(),
        _ => told,
    }
}

pub fn too_many() -> ApiError {
    ApiError::new(Code::BodyTooLarge, format!("More than {MOST_ITEMS} items in one list; send them in parts."))
}

/// Reads two fields off the wire; no more of the list than is known to be too many.
fn read_protobuf<'a>(mut rest: &'a [u8], Fields { one, many }: Fields) -> Result<Held<'a>, String> {
    let mut held = Held::default();
    while !rest.is_empty() && held.many.len() <= MOST_ITEMS {
        let (number, wire_type) = decode_key(&mut rest).map_err(|error| error.to_string())?;
        if number != one.1 && number != many.1 {
            skip_field(wire_type, number, &mut rest, DecodeContext::default()).map_err(|error| error.to_string())?;
            continue;
        }
        let name = if number == one.1 { one.0 } else { many.0 };
        if wire_type != WireType::LengthDelimited {
            return Err(format!("`{name}` is no message"));
        }
        let length = decode_varint(&mut rest).map_err(|error| error.to_string())?;
        let (message, behind) = usize::try_from(length)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or_else(|| format!("`{name}` is longer than the body"))?;
        rest = behind;
        match number == one.1 {
            true => held.one = Some(Part::Protobuf(message)),
            false => held.many.push(Part::Protobuf(message)),
        }
    }
    Ok(held)
}

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = Held<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Held<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields {
    type Value = Held<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object with the list `{}`", self.many.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Held<'de>, A::Error> {
        let (mut one, mut many) = (None, None);
        while let Some(name) = entries.next_key::<Cow<'de, str>>()? {
            let is_twice = match &*name {
                name if name == self.one.0 => one.replace(entries.next_value::<Option<_>>()?).is_some(),
                name if name == self.many.0 => {
                    many.replace(entries.next_value::<Option<Several<'de, { MOST_ITEMS + 1 }>>>()?).is_some()
                }
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                    false
                }
            };
            if is_twice {
                return Err(A::Error::custom(format!("the key `{name}` is there twice")));
            }
        }
        let json = |part: &'de RawValue| Part::Json(part.get());
        let many = many.flatten().map_or_else(Vec::new, |Several(parts)| parts.into_iter().map(json).collect());
        Ok(Held { one: one.flatten().map(json), many })
    }
}
