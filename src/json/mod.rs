//! JSON as it is taken in: values that borrow from the text they were read from.
//!
//! Reading is bounded and strict ([`read()`]); a value has one binary form (by `serde`, for the spool) and one
//! text ([`Json`]'s `Display`).

mod document;
mod read;

use std::borrow::Cow;
use std::fmt::{self, Display, Write};
use std::ops::Deref;

use serde::{Deserialize, Serialize};

pub use document::{FromJson, Items, Named, Place, Unreadable, meanings, read_as};
pub(crate) use document::{bounded, document, word};
pub use read::{DEEPEST, MOST_KEYS, read};

/// A text that may be borrowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// A JSON value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Json<'a> {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number that is more than [`i64::MAX`].
    UInt(u64),
    /// Finite.
    Float(f64),
    #[serde(borrow)]
    Text(Text<'a>),
    List(Vec<Json<'a>>),
    Object(Object<'a>),
}

/// The fields of a JSON object, in their order; no name is there twice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Object<'a>(#[serde(borrow)] Vec<(Text<'a>, Json<'a>)>);

impl Text<'_> {
    pub fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Display for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'a> Json<'a> {
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A whole number that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Int(number) => u64::try_from(number).ok(),
            Self::UInt(number) => Some(number),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(truth) = *self { Some(truth) } else { None }
    }

    pub fn into_owned(self) -> Json<'static> {
        match self {
            Self::Null => Json::Null,
            Self::Bool(truth) => Json::Bool(truth),
            Self::Int(number) => Json::Int(number),
            Self::UInt(number) => Json::UInt(number),
            Self::Float(number) => Json::Float(number),
            Self::Text(text) => Json::Text(text.into_owned()),
            Self::List(list) => Json::List(list.into_iter().map(Json::into_owned).collect()),
            Self::Object(object) => Json::Object(object.into_owned()),
        }
    }

    /// A number; one that is not finite is null, as it has no form in JSON.
    pub fn float(number: f64) -> Self {
        if number.is_finite() { Self::Float(number) } else { Self::Null }
    }
}

impl<'a> Object<'a> {
    pub fn with_capacity(fields: usize) -> Self {
        Self(Vec::with_capacity(fields))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.0.iter().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json<'a>> {
        self.0.iter_mut().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }

    pub fn remove(&mut self, name: &str) -> Option<Json<'a>> {
        let index = self.0.iter().position(|(known, _)| &**known == name)?;
        Some(self.0.remove(index).1)
    }

    /// Sets a field; a later value takes the place of an earlier one.
    pub fn insert(&mut self, name: impl Into<Text<'a>>, value: impl Into<Json<'a>>) {
        let (name, value) = (name.into(), value.into());
        match self.get_mut(&name) {
            Some(known) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    /// Adds a field that is known not to be there.
    fn push(&mut self, name: Text<'a>, value: Json<'a>) {
        self.0.push((name, value));
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Json<'a>)> {
        self.0.iter_mut().map(|(name, value)| (&**name, value))
    }

    pub fn into_owned(self) -> Object<'static> {
        Object(self.0.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }
}

impl<'a> IntoIterator for Object<'a> {
    type Item = (Text<'a>, Json<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> FromIterator<(Text<'a>, Json<'a>)> for Object<'a> {
    fn from_iter<I: IntoIterator<Item = (Text<'a>, Json<'a>)>>(fields: I) -> Self {
        let mut object = Self::default();
        for (name, value) in fields {
            object.insert(name, value);
        }
        object
    }
}

impl<'a, const N: usize> From<[(&'a str, Json<'a>); N]> for Object<'a> {
    fn from(fields: [(&'a str, Json<'a>); N]) -> Self {
        fields.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }
}

macro_rules! json_from {
    ($($type:ty => $variant:expr),+ $(,)?) => {
        $(impl<'a> From<$type> for Json<'a> {
            fn from(value: $type) -> Self {
                $variant(value.into())
            }
        })+
    };
}

json_from! {
    bool => Json::Bool, i32 => Json::Int, i64 => Json::Int, u32 => Json::Int, f64 => Json::float,
    &'a str => Json::Text, String => Json::Text, Text<'a> => Json::Text, Vec<Json<'a>> => Json::List, Object<'a> => Json::Object,
}

impl From<u64> for Json<'_> {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::UInt(number), Self::Int)
    }
}

impl Display for Json<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Bool(truth) => write!(formatter, "{truth}"),
            Self::Int(number) => write!(formatter, "{number}"),
            Self::UInt(number) => write!(formatter, "{number}"),
            // With a point or an exponent, so that it is read as what it is.
            Self::Float(number) => write!(formatter, "{number:?}"),
            Self::Text(text) => write_text(formatter, text),
            Self::List(list) => {
                formatter.write_char('[')?;
                for (index, item) in list.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(formatter, "{comma}{item}")?;
                }
                formatter.write_char(']')
            }
            Self::Object(object) => object.fmt(formatter),
        }
    }
}

impl Display for Object<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_char('{')?;
        for (index, (name, value)) in self.iter().enumerate() {
            if index > 0 {
                formatter.write_char(',')?;
            }
            write_text(formatter, name)?;
            write!(formatter, ":{value}")?;
        }
        formatter.write_char('}')
    }
}

fn write_text(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    formatter.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_json() -> impl Strategy<Value = Json<'static>> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(Json::Int),
            ((i64::MAX as u64 + 1)..).prop_map(Json::UInt),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Json::Float),
            any::<String>().prop_map(Json::from),
        ];
        leaf.prop_recursive(5, 60, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::List),
                prop::collection::vec((any::<String>(), inner), 0..6).prop_map(|fields| Json::Object(
                    fields.into_iter().map(|(name, value)| (name.into(), value)).collect()
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_is_the_same_after_text_and_after_bytes(value in any_json()) {
            let text = value.to_string();
            prop_assert_eq!(&read(&text).unwrap(), &value);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
            let bytes = postcard::to_stdvec(&value).unwrap();
            prop_assert_eq!(&postcard::from_bytes::<Json>(&bytes).unwrap(), &value);
        }
    }

    #[test]
    fn texts_are_borrowed_where_they_can_be() {
        let Json::List(list) = read(r#"["plain", "escaped \u00e9"]"#).unwrap() else { panic!("a list") };
        let is_borrowed = |json: &Json| matches!(json, Json::Text(Text(Cow::Borrowed(_))));
        assert!(is_borrowed(&list[0]) && !is_borrowed(&list[1]));
        let bytes = postcard::to_stdvec(&list[0]).unwrap();
        assert!(is_borrowed(&postcard::from_bytes(&bytes).unwrap()));
    }
}
