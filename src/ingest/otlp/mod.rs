//! OTLP over HTTP: traces become spans, logs become events.
//!
//! Protobuf and JSON are decoded into the same messages, so that both give the same rows. What is good in
//! an export is kept; the rest is counted and named in `partialSuccess`, which tells the sender not to
//! send it again.

pub mod encoding;
pub mod endpoints;
pub mod json;
pub mod logs;
mod refusals;
pub mod spans;
mod values;

pub use encoding::with_status_errors;
