use serde::{Deserialize, Serialize};
use validator::Validate;

use super::values::{Secret, parsed};

/// What is taken in, and for how long it is kept.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
pub struct IngestConfig {
    /// Days that raw events and spans are kept; 0 = for ever.
    #[serde(deserialize_with = "parsed")]
    #[validate(range(max = 36_500, message = "must be at most 36500"))]
    pub retention_days: u32,
    pub hmac_secrets: Option<Secret>,
    pub kafka_brokers: Option<String>,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self { retention_days: 90, hmac_secrets: None, kafka_brokers: None }
    }
}
