//! What answers questions about the product; what each of them counts is beside its endpoint.

use std::sync::Arc;

use crate::service::Service;

/// Answers questions about the product's usage.
#[derive(Clone)]
pub struct ProductService {
    pub(super) service: Arc<Service>,
}

impl ProductService {
    pub fn new(service: Arc<Service>) -> Self {
        Self { service }
    }
}
