//! Types of settings' values, and how they are read from texts.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

/// An account: chooses the databases `<account>_analytics` and `<account>_admin_db`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Account(String);

impl Account {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The database of events, spans and their rollups.
    pub fn analytics_database(&self) -> String {
        format!("{}_analytics", self.0)
    }

    /// The operational database.
    pub fn admin_database(&self) -> String {
        format!("{}_admin_db", self.0)
    }
}

impl FromStr for Account {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let fits = name.len() <= 48
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if fits {
            return Ok(Self(name.to_owned()));
        }
        Err(format!(
            "`{}` is not an account: small letters, digits and `_`, beginning with a letter, at most 48",
            crate::query::shown(name)
        ))
    }
}

impl TryFrom<String> for Account {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A text that is never shown or logged.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// Reads a value as it is in a file, or parses it from a text of the environment.
pub(super) fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + FromStr<Err: Display>,
{
    match TextOr::<T>::deserialize(deserializer)? {
        TextOr::Text(text) => {
            text.trim().parse().map_err(|why| serde::de::Error::custom(format!("`{text}` is not valid: {why}")))
        }
        TextOr::Other(value) => Ok(value),
    }
}

/// Reads a list, or splits a text at its commas.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + FromStr<Err: Display>,
{
    let parts = match TextOr::<Vec<String>>::deserialize(deserializer)? {
        TextOr::Text(text) => {
            text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        }
        TextOr::Other(parts) => parts,
    };
    parts.iter().map(|part| part.parse().map_err(serde::de::Error::custom)).collect()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOr<T> {
    Text(String),
    Other(T),
}
