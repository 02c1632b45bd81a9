use std::borrow::Cow;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

use super::limits::MOST_DAYS;
use super::values::{SigningKey, list, parsed};

/// What is taken in, and for how long it is kept.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
pub struct IngestConfig {
    /// Days that raw events and spans are kept; 0 = for ever.
    #[serde(deserialize_with = "parsed")]
    #[validate(range(max = MOST_DAYS, message = "must be at most 36500"))]
    pub retention_days: u32,
    /// Bytes of accepted rows that may wait on disk to be inserted.
    #[serde(deserialize_with = "parsed")]
    #[validate(range(min = 67_108_864, message = "must be at least 67108864 (64 MiB)"))]
    pub spool_bytes: u64,
    /// The price book; the one of the program when unset.
    pub prices: Option<PathBuf>,
    /// Keys for signed ingestion.
    #[serde(deserialize_with = "list")]
    pub hmac_secrets: Vec<SigningKey>,
    /// `host:port`, separated by commas; set = accepted rows are handed to Kafka.
    #[validate(custom(function = "brokers"))]
    pub kafka_brokers: Option<String>,
}

fn brokers(brokers: &str) -> Result<(), ValidationError> {
    let is_place = |broker: &str| {
        let place = broker.trim().rsplit_once(':');
        place.is_some_and(|(host, port)| !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok())
    };
    if brokers.split(',').all(is_place) {
        return Ok(());
    }
    Err(ValidationError::new("brokers").with_message(Cow::from("is not a list like kafka-1:9092,kafka-2:9092")))
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self { retention_days: 90, spool_bytes: 2 << 30, prices: None, hmac_secrets: Vec::new(), kafka_brokers: None }
    }
}
