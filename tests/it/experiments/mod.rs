//! Experiments: analyses of what is sent, and sizes before they begin.

mod analysis;
mod analyze;
mod conversion;
mod gate;
mod guardrails;
mod results;
mod sample_size;
