//! Totals: the numbers of a page about assistants.

pub mod endpoints;
pub mod schemas;
mod service;
