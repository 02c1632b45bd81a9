//! Experiments: did a variant do better than the baseline, and is that certain enough to act on it?
//!
//! `analysis/` is pure: sufficient statistics in, comparisons, health and a decision out. What asks it brings the
//! statistics: a request (`analyze/`), or rows. `docs/experiments.md` has every definition.

pub mod analysis;
pub mod analyze;
pub mod charts;
pub mod gate;
pub mod guardrails;
pub mod health;
pub mod list;
pub mod metrics;
mod notes;
mod repository;
pub mod results;
pub mod sample_size;
mod schemas;
mod service;

pub use service::ExperimentsService;
