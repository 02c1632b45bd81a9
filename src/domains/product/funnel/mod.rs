//! The funnel: how far users, or sessions, came from step to step.

pub mod endpoints;
pub mod schemas;
mod service;
