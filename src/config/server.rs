use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use validator::Validate;

use super::values::{Account, list, parsed};

/// The HTTP server, and whom it serves.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
pub struct ServerConfig {
    /// Address to listen on; port 0 is any free one.
    #[serde(deserialize_with = "parsed")]
    pub listen: SocketAddr,
    /// Folder of the embedded engine and of everything else that is kept.
    pub data_dir: PathBuf,
    #[serde(deserialize_with = "list")]
    #[validate(length(min = 1, message = "names no account"))]
    pub accounts: Vec<Account>,
    /// Questions a minute and subject; 0 = no limit.
    #[serde(deserialize_with = "parsed")]
    pub query_rate_limit: u32,
    /// Ingestion requests a minute and subject; 0 = no limit.
    #[serde(deserialize_with = "parsed")]
    pub ingest_rate_limit: u32,
    /// Origins whose pages may call the API.
    #[serde(deserialize_with = "list")]
    pub cors_origins: Vec<String>,
    /// Open connections; more are not accepted until one closes.
    #[serde(deserialize_with = "parsed")]
    #[validate(range(min = 1, message = "must be at least 1"))]
    pub max_connections: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8080).into(),
            data_dir: "./data".into(),
            accounts: vec!["demo".parse().expect("an account")],
            query_rate_limit: 1_200,
            ingest_rate_limit: 0,
            cors_origins: Vec::new(),
            max_connections: 4_096,
        }
    }
}
