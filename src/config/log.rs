use std::str::FromStr;

use serde::{Deserialize, Serialize};
use validator::Validate;

use super::values::parsed;

/// What the program says of itself: its log, and its traces.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
pub struct LogConfig {
    /// A `tracing` filter: `info`, or `warn,chartwell=debug`.
    pub log: String,
    #[serde(deserialize_with = "parsed")]
    pub log_format: LogFormat,
    /// Where traces of the program itself are told, over OTLP/HTTP: `http://collector:4318/v1/traces`.
    #[validate(url(message = "is not a URL"))]
    pub own_traces_url: Option<String>,
    /// The share of traces that is told, where whoever calls has not decided.
    #[serde(deserialize_with = "parsed")]
    #[validate(range(min = 0.0, max = 1.0, message = "must be between 0 and 1"))]
    pub own_traces_ratio: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("write `text` or `json`"),
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { log: "info".to_owned(), log_format: LogFormat::Text, own_traces_url: None, own_traces_ratio: 1.0 }
    }
}
