//! Charts: what assistants did over time.

pub mod endpoints;
pub mod schemas;
mod service;
