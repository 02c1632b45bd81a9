//! Ingestion: a request's body becomes rows that are stored, or reasons why they are not.
//!
//! body (limits, decompression) → documents → events (spellings, types, times) → store. Good rows
//! beside bad ones are kept; a 2xx means that they are on disk.

mod body;
mod catalogue;
pub mod endpoints;
mod event;
mod json;
mod rejection;
mod schemas;
mod store;

pub use event::{Event, Suggestion};
pub use rejection::Rejection;
pub use store::{EventStore, StoreError, Stored};
