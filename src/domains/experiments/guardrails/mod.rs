//! What an experiment did to the assistants behind it: from their spans, joined by conversation.

pub mod endpoints;
mod latency;
pub mod schemas;
mod service;
