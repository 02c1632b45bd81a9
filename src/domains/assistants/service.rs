//! What answers questions about assistants; each kind of answer adds its own in a folder.

use std::sync::Arc;

use crate::repository::OperationalDatabase;
use crate::service::Service;

/// Answers questions about assistants.
#[derive(Clone)]
pub struct AssistantsService {
    pub(super) service: Arc<Service>,
    pub(super) operational: Arc<OperationalDatabase>,
}

impl AssistantsService {
    pub fn new(service: Arc<Service>, operational: Arc<OperationalDatabase>) -> Self {
        Self { service, operational }
    }
}
