//! Charts of an experiment.

pub mod endpoints;
pub mod schemas;
mod service;
