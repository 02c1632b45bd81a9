//! Anomalies: days on which something was unlike such days before.

pub mod endpoints;
pub mod schemas;
mod scores;
mod service;
