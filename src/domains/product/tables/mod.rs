//! Tables: routes, features, filters, interactions with charts, errors, adoption and paths, side by side.

pub mod endpoints;
pub mod schemas;
mod service;

pub(super) use service::history_of;
