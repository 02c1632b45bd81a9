//! Retention: whether those who began in a period returned in later ones.

pub mod endpoints;
mod matrix;
pub mod schemas;
mod service;
