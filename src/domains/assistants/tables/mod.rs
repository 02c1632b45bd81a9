//! Tables: assistants, models, tools, operations, customers and errors, side by side.

pub mod endpoints;
pub mod schemas;
mod service;
