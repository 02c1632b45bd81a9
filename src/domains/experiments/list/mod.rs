//! Which experiments there are.

pub mod endpoints;
pub mod schemas;
mod service;
