use std::str::FromStr;

use serde::{Deserialize, Serialize};
use validator::Validate;

use super::values::parsed;

/// What is logged, and how.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
pub struct LogConfig {
    /// A `tracing` filter: `info`, or `warn,chartwell=debug`.
    pub log: String,
    #[serde(deserialize_with = "parsed")]
    pub log_format: LogFormat,
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
        Self { log: "info".to_owned(), log_format: LogFormat::Text }
    }
}
