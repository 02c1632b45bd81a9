//! How many units an experiment takes, before it begins.

pub mod endpoints;
pub mod schemas;
