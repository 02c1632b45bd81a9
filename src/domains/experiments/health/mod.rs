//! Whether an experiment ran as planned, and where not.

pub mod endpoints;
mod report;
pub mod schemas;
mod service;
