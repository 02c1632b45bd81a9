//! Whether a variant may go on: the question of whatever rolls it out.

pub mod endpoints;
mod judge;
pub mod schemas;
mod service;
