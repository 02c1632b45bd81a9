//! Traces: the runs of assistants one by one, and what happened in each.

pub mod endpoints;
pub mod schemas;
mod service;
mod tree;
