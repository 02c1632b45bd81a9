//! Charts of an experiment.

mod cumulative;
pub mod endpoints;
pub mod schemas;
mod service;
