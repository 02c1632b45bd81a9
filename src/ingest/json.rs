//! JSON documents under limits: depth, keys, and nothing that could be read in two ways.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// Levels of objects and arrays within each other.
const DEEPEST: usize = 64;
/// Keys of one object.
const MOST_KEYS: usize = 256;

/// Reads a document. A duplicate key, a lone surrogate, too much depth or too many keys are errors.
pub fn read(text: &str) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Limited { depth: 0 }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// The documents of a body: one object, an array, `{"events": […]}`, or one object a line.
pub fn documents(body: &str) -> Result<Vec<&RawValue>, serde_json::Error> {
    let body = body.trim_start_matches('\u{feff}').trim();
    if body.starts_with('[') {
        return serde_json::from_str(body);
    }
    let mut documents: Vec<&RawValue> = Vec::new();
    for document in serde_json::Deserializer::from_str(body).into_iter::<&RawValue>() {
        documents.push(document?);
    }
    if let [only] = documents.as_slice()
        && let Some(events) = wrapped(only)?
    {
        return Ok(events);
    }
    Ok(documents)
}

/// The rows of `{"events": […]}`; `None` for an object that is an event itself.
fn wrapped(document: &RawValue) -> Result<Option<Vec<&RawValue>>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Wrapper<'a> {
        #[serde(borrow)]
        events: Option<&'a RawValue>,
    }
    let Ok(Wrapper { events: Some(events) }) = serde_json::from_str(document.get()) else { return Ok(None) };
    if !events.get().starts_with('[') {
        return Ok(None);
    }
    serde_json::from_str(events.get()).map(Some)
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
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Limited {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inner)?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{}` is there twice", crate::query::shown(&key))));
            }
            map.insert(key, value);
            if map.len() > MOST_KEYS {
                return Err(A::Error::custom(format!("an object with more than {MOST_KEYS} keys")));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_body_is_read() {
        let count = |body: &str| documents(body).map(|documents| documents.len()).ok();
        assert_eq!(count(r#"{"event":"a"}"#), Some(1));
        assert_eq!(count(r#"[{"event":"a"},{"event":"b"}]"#), Some(2));
        assert_eq!(count(r#" {"events":[{"event":"a"},{"event":"b"}]} "#), Some(2));
        assert_eq!(count("{\"event\":\"a\"}\n\n{\"event\":\"b\"}\n"), Some(2));
        assert_eq!(count("[]"), Some(0));
        assert_eq!(count(""), Some(0));
        assert_eq!(count(r#"{"event":"a""#), None);
        assert_eq!(count("nonsense"), None);
        // An event may have a field of this name.
        assert_eq!(count(r#"{"event":"a","events":3}"#), Some(1));
    }

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
