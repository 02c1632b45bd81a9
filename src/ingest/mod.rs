//! Ingestion: a request's body becomes rows in the spool, or reasons why it does not.
//!
//! body (limits, decompression) → documents → events (spellings, types, times) → intake. Good rows
//! beside bad ones are kept; a 2xx means that they are on disk.

pub mod anonymise;
mod backfill;
pub mod body;
mod catalogue;
pub mod documents;
pub mod endpoints;
pub mod event;
mod genai;
mod intake;
pub mod mirror;
pub mod otlp;
mod person;
pub mod product_event;
mod quotas;
mod rejection;
mod schemas;
mod stored;
mod submission;

pub use backfill::{Backfill, BackfillError, Entry, Imported};
pub use event::Reading;
pub use genai::{Coverage, PriceBook, PriceBookError, is_cost_told_sql};
pub use intake::{Intake, IntakeError, IntakeOpenError, Status};
pub use person::hashed;
pub use rejection::Rejection;
pub use stored::row as stored_row;
pub use submission::Submission;
