//! Reading under limits: depth, keys, and nothing that could be read in two ways.

use std::collections::HashSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

use super::{Json, Object, Text};
use crate::query::shown;

/// Levels of objects and arrays within each other.
pub const DEEPEST: usize = 64;
/// Keys of one object.
pub const MOST_KEYS: usize = 256;
/// Room that an object begins with.
const USUAL_KEYS: usize = 8;
/// From so many keys on, a set says which are known.
const MANY_KEYS: usize = 24;

/// Reads a document. A duplicate key, a lone surrogate, too much depth or too many keys are errors.
pub fn read(text: &str) -> Result<Json<'_>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Limited { depth: 0 }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Reads one value at a depth.
#[derive(Clone, Copy)]
struct Limited {
    depth: usize,
}

impl Limited {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= DEEPEST {
            return Err(E::custom(format!("more than {DEEPEST} levels deep")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Limited {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Limited {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json<'de>, E> {
        if value.is_finite() { Ok(Json::Float(value)) } else { Err(E::custom("a number that is not finite")) }
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(value.to_owned().into())
    }

    fn visit_string<E>(self, value: String) -> Result<Json<'de>, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut object = Object::with_capacity(USUAL_KEYS);
        let mut names: HashSet<Text<'de>> = HashSet::new();
        while let Some(name) = entries.next_key::<Text<'de>>()? {
            let is_known = match object.len() {
                0..MANY_KEYS => object.get(&name).is_some(),
                length => {
                    if length == MANY_KEYS {
                        names.extend(object.iter().map(|(name, _)| Text::from(name.to_owned())));
                    }
                    !names.insert(name.clone())
                }
            };
            if is_known {
                return Err(A::Error::custom(format!("the key `{}` is there twice", shown(&name))));
            }
            object.push(name, entries.next_value_seed(inner)?);
            if object.len() > MOST_KEYS {
                return Err(A::Error::custom(format!("an object with more than {MOST_KEYS} keys")));
            }
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        assert!(read(r#"{"a":1,"a":2}"#).is_err());
        assert!(read(r#"{"a":"\ud800"}"#).is_err());
        assert!(read(r#"{"a":1} {"b":2}"#).is_err());
        assert!(read("1e999").is_err());
    }

    #[test]
    fn depth_and_keys_are_bounded() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&nested(64)).is_ok());
        assert!(read(&nested(65)).is_err());
        assert!(read(&nested(100_000)).is_err());
        let wide =
            |keys: usize| format!("{{{}}}", (0..keys).map(|key| format!("\"{key}\":0")).collect::<Vec<_>>().join(","));
        assert!(read(&wide(256)).is_ok());
        assert!(read(&wide(257)).is_err());
    }
}
