use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use validator::Validate;

/// The rules that watch numbers.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Validate)]
pub struct AlertsConfig {
    /// A file of rules; without one, `alerts.toml` where it is there.
    pub alerts: Option<PathBuf>,
}

pub(super) const DEFAULT_FILE: &str = "alerts.toml";

impl AlertsConfig {
    /// The file of rules, where there is one.
    pub fn file(&self) -> Option<&Path> {
        let default = Path::new(DEFAULT_FILE);
        self.alerts.as_deref().or_else(|| default.is_file().then_some(default))
    }
}
