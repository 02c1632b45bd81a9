//! Experiments: analyses of what is sent and of what is stored, their list and their health, and sizes before they begin.

mod analyze;
mod exposed;
mod health;
mod list;
mod results;
mod sample_size;
