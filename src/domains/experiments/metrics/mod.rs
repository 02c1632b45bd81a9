//! What an experiment came to, by several metrics at once.

pub mod endpoints;
pub mod schemas;
mod service;
