//! Service levels: what assistants reach of their objectives, and how fast they use up what they may miss.

pub mod endpoints;
mod levels;
pub mod schemas;
mod service;
