//! Sessions: how long they were, and what was done in them.

pub mod endpoints;
pub mod schemas;
mod service;
