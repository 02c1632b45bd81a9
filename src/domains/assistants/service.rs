//! What answers questions about assistants; each kind of answer adds its own in a folder.

use std::sync::Arc;

use crate::config::ObjectivesConfig;
use crate::repository::OperationalDatabase;
use crate::service::Service;

/// Answers questions about assistants.
#[derive(Clone)]
pub struct AssistantsService {
    pub(super) service: Arc<Service>,
    pub(super) operational: Arc<OperationalDatabase>,
    pub(super) objectives: Arc<ObjectivesConfig>,
}

impl AssistantsService {
    pub fn new(service: Arc<Service>, operational: Arc<OperationalDatabase>, objectives: ObjectivesConfig) -> Self {
        Self { service, operational, objectives: Arc::new(objectives) }
    }
}
