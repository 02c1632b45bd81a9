//! Types of settings' values, and how they are read from texts.

use std::fmt::{self, Display};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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

/// A server of ClickHouse: `http(s)://host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ServerUrl(String);

impl ServerUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the way to it is encrypted.
    pub fn is_https(&self) -> bool {
        self.0.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    }

    /// Host and port.
    pub fn authority(&self) -> &str {
        self.0.split_once("//").map_or(self.as_str(), |(_, authority)| authority)
    }
}

impl FromStr for ServerUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "a server is a URL like http://host:8123";
        let url: axum::http::Uri = text.parse().map_err(|_| SHAPE)?;
        let authority = url.authority().ok_or(SHAPE)?;
        if !matches!(url.scheme_str(), Some("http" | "https"))
            || !matches!(url.path(), "" | "/")
            || url.query().is_some()
        {
            return Err(SHAPE);
        }
        if authority.as_str().contains('@') {
            return Err("the URL names a user: CHARTWELL_CLICKHOUSE_USER and CHARTWELL_CLICKHOUSE_PASSWORD do that");
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl TryFrom<String> for ServerUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// How many replicas must have an insert before it counts: a number, or `auto` for the majority. 0 and 1 mean the one
/// that took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Quorum(String);

impl Quorum {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Quorum {
    fn default() -> Self {
        Self("0".to_owned())
    }
}

impl TryFrom<String> for Quorum {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "auto" || text.parse::<u8>().is_ok() {
            return Ok(Self(text));
        }
        Err(format!("`{}` is neither a number of replicas nor `auto`", crate::query::shown(&text)))
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

/// A key that ingestion requests are signed with: `key_id:account:secret`.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    pub key_id: String,
    pub account: Account,
    secret: Secret,
}

/// As many bytes as Standard Webhooks asks for.
const SHORTEST_SIGNING_SECRET: usize = 24;

impl SigningKey {
    /// The secret: after `whsec_` in base64, otherwise as it stands.
    pub fn secret_bytes(&self) -> Vec<u8> {
        let text = self.secret.reveal();
        match text.strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded).unwrap_or_default(),
            None => text.as_bytes().to_vec(),
        }
    }
}

impl FromStr for SigningKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let (Some(key_id), Some(account), Some(secret)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("a signing key is `key_id:account:secret`".to_owned());
        };
        if key_id.is_empty() {
            return Err("a signing key needs an id before its first `:`".to_owned());
        }
        // None of its parts is told: who mixes them up has the secret in another one.
        let account = account.parse().map_err(|_| "the second part of a signing key is not an account")?;
        let key = Self { key_id: key_id.to_owned(), account, secret: Secret::new(secret) };
        if key.secret_bytes().len() < SHORTEST_SIGNING_SECRET {
            return Err(format!("the secret of a signing key has less than {SHORTEST_SIGNING_SECRET} bytes"));
        }
        Ok(key)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:(secret)", self.key_id, self.account)
    }
}

impl Serialize for SigningKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{self:?}"))
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
    T: FromStr<Err: Display>,
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
#[serde(untagged, expecting = "it is neither a text nor what else belongs there")]
enum TextOr<T> {
    Text(String),
    Other(T),
}
