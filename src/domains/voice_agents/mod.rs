//! Voice agents: how their calls end, how long callers wait for them, and how often they are interrupted; from events
//! and from spans.
//!
//! What counts is said in `sql_templates/voice_agents/facts_raw.sql`, and in `told.rs` what happens to calls that
//! are told by events and by spans.

pub mod endpoints;
mod notes;
mod repository;
pub mod schemas;
mod service;
mod told;

pub use service::VoiceAgentsService;
