//! Experiments: analyses of what is sent and of what is stored, their list and their health, and sizes before they begin.

mod analysis;
mod analyze;
mod conversion;
mod exposed;
mod gate;
mod guardrails;
mod health;
mod list;
mod results;
mod sample_size;
