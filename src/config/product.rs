use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

use super::values::list;

/// What is taken in of the product's usage, and what of it is told elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
pub struct ProductConfig {
    /// What happens to product events whose name is in no catalogue.
    pub product_unknown_events: UnknownEvents,
    /// Where logs are taken in over OTLP/HTTP; set = the events below are told there as well.
    #[validate(custom(function = "is_url"))]
    pub product_mirror_url: Option<String>,
    /// The names of the events that are told.
    #[serde(deserialize_with = "list")]
    pub product_mirror_events: Vec<String>,
    /// The fields of them that are told.
    #[serde(deserialize_with = "list")]
    pub product_mirror_fields: Vec<String>,
}

/// What happens to events that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownEvents {
    Refuse,
    /// Stored under the name `unknown`, without their payload.
    Count,
}

fn is_url(url: &str) -> Result<(), ValidationError> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    if rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) {
        return Ok(());
    }
    Err(ValidationError::new("url").with_message(Cow::from("is not a URL like http://collector:4318/v1/logs")))
}

impl Default for ProductConfig {
    fn default() -> Self {
        Self {
            product_unknown_events: UnknownEvents::Refuse,
            product_mirror_url: None,
            product_mirror_events: Vec::new(),
            product_mirror_fields: Vec::new(),
        }
    }
}
