//! The settings file: its values, and where each of them stands. What is wrong with it is told without what it says, since
//! that may be a secret.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Value};
use serde::de::IgnoredAny;
use toml::Spanned;

use super::ConfigError;

/// A settings file.
pub(super) struct SettingsFile {
    path: PathBuf,
    text: String,
    pub(super) values: Dict,
    /// Where the value of each setting begins.
    places: BTreeMap<String, usize>,
}

impl SettingsFile {
    pub(super) fn read(path: &Path, known: &[String]) -> Result<Self, ConfigError> {
        let shown = path.display();
        let text = fs::read_to_string(path).map_err(|error| ConfigError(format!("{shown} cannot be read: {error}")))?;
        // A table takes whatever can be parsed: what is wrong here is how it is written.
        let table: toml::Table = toml::from_str(&text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            ConfigError(format!("{shown}, {}: {}", place(&text, at), why(error.message(), known)))
        })?;
        let values = Value::serialize(table).ok().and_then(Value::into_dict);
        let values = values.ok_or_else(|| ConfigError(format!("{shown} is no list of settings")))?;
        // Tables have no place when their keys are dotted; then none of the settings has.
        let places: BTreeMap<String, Spanned<IgnoredAny>> = toml::from_str(&text).unwrap_or_default();
        let places = places.into_iter().map(|(name, value)| (name, value.span().start)).collect();
        Ok(Self { path: path.to_owned(), text, values, places })
    }

    /// Where a setting is given.
    pub(super) fn place(&self, name: &str) -> String {
        match self.places.get(name) {
            Some(at) => format!("in {}, {}", self.path.display(), place(&self.text, *at)),
            None => format!("in {}", self.path.display()),
        }
    }
}

fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    format!("line {}, column {}", before.matches('\n').count() + 1, before[begin..].chars().count() + 1)
}

/// What the parser says: what it was at, and what it expected there. Only of keys it says more, and what stands in the place
/// of a key may be anything.
fn why(message: &str, known: &[String]) -> String {
    let key = message.split('`').nth(1).unwrap_or_default();
    match message {
        _ if message.contains("dotted key `") => "the key in front of a `.` is no table".to_owned(),
        _ if !message.contains("duplicate key `") => message.replace('\n', ", "),
        _ if known.iter().any(|name| name == key) => format!("`{key}` is there already"),
        _ => "the key is there already".to_owned(),
    }
}
