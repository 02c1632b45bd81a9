//! Experiments: analyses of what is sent, and sizes before they begin.

mod analyze;
mod results;
mod sample_size;
