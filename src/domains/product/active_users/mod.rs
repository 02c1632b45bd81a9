//! Active users: distinct ones within rolling windows of the caller's days.

pub mod endpoints;
mod rolling;
pub mod schemas;
mod service;
