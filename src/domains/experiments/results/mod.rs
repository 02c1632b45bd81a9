//! What an experiment came to, by one metric.

pub mod endpoints;
pub mod schemas;
mod service;
