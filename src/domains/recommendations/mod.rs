//! Recommendations: what assistants suggest to agents, and what becomes of it.
//!
//! Facts are counted by source category, see `sql_templates/recommendations/facts_raw.sql`. Shown,
//! accepted and dismissed recommendations are counted as events, each at its own time.

pub mod endpoints;
mod repository;
pub mod schemas;
mod service;

pub use service::RecommendationsService;
