//! The platform itself: who asks, and whether it is well.

pub mod endpoints;
pub mod schemas;
mod service;

pub use service::{FreshnessError, PlatformService};
