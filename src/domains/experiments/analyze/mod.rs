//! Any experiment, by sufficient statistics that are sent.

pub mod endpoints;
pub mod schemas;
