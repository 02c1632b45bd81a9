//! Regressions: a candidate version or model beside a baseline, and whether it is worse.

mod compare;
pub mod endpoints;
pub mod schemas;
mod service;
