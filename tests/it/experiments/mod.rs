//! Experiments: analyses of what is sent, and sizes before they begin.

mod analyze;
mod sample_size;
