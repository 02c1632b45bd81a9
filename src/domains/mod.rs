//! The domains: a folder each, with the same files, none importing another.

pub mod assistants;
pub mod experiments;
pub mod platform;
pub mod product;
pub mod recommendations;
pub mod voice_agents;

use std::sync::Arc;

use crate::config::Config;
use crate::repository::{OperationalDatabase, Repository};
use crate::service::Service;
use assistants::AssistantsService;
use experiments::ExperimentsService;
use product::ProductService;
use recommendations::RecommendationsService;
use voice_agents::VoiceAgentsService;

/// The services that answer questions. Cheap to clone.
#[derive(Clone)]
pub struct Domains {
    pub recommendations: RecommendationsService,
    pub assistants: AssistantsService,
    pub voice_agents: VoiceAgentsService,
    pub experiments: ExperimentsService,
    pub product: ProductService,
}

impl Domains {
    pub fn new(repository: Arc<Repository>, operational: Arc<OperationalDatabase>, config: &Config) -> Self {
        let service = Arc::new(Service::new(repository, config.retention()));
        Self {
            recommendations: RecommendationsService::new(Arc::clone(&service)),
            assistants: AssistantsService::new(Arc::clone(&service), operational, config.objectives.clone()),
            voice_agents: VoiceAgentsService::new(Arc::clone(&service)),
            experiments: ExperimentsService::new(Arc::clone(&service)),
            product: ProductService::new(service),
        }
    }
}
