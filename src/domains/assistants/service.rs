//! What answers questions about assistants; each kind of answer adds its own in a folder.

use std::sync::Arc;

use crate::config::ObjectivesConfig;
use crate::service::Service;

/// Answers questions about assistants.
#[derive(Clone)]
pub struct AssistantsService {
    pub(super) service: Arc<Service>,
    pub(super) objectives: Arc<ObjectivesConfig>,
}

impl AssistantsService {
    pub fn new(service: Arc<Service>, objectives: ObjectivesConfig) -> Self {
        Self { service, objectives: Arc::new(objectives) }
    }
}
