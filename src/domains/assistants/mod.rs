//! Assistants: what they do, how often they fail, and what that costs, from spans.
//!
//! A run is a root span; tokens and cost are counted where a model was asked, see
//! `sql_templates/assistants/facts_raw.sql`.

pub mod anomalies;
pub mod charts;
mod notes;
pub mod regressions;
mod repository;
mod schemas;
mod service;
pub mod slo;
pub mod tables;
pub mod totals;
pub mod traces;

pub use service::AssistantsService;
