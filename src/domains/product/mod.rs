//! The product: who uses it, what of it, for how long, what breaks for them, how far they come, and whether they return.
//!
//! Nobody is known: users and sessions are hashes of pseudonyms, and the fields that there are come from the catalogue of
//! product events. What a fact is, `sql_templates/product/facts_raw.sql` says.

pub mod active_users;
pub mod funnel;
mod notes;
mod repository;
pub mod retention;
pub mod schemas;
mod service;
pub mod sessions;
mod steps;
pub mod tables;

pub use service::ProductService;
