//! The targets: each takes any bytes, and fails when something that must hold of them does not.
//!
//! Both engines use them: the short run of `cargo test` beside this folder, which changes the seeds, and
//! libFuzzer in `fuzz/`, which starts from them and looks for new ways through the code.

mod analyses;
mod bodies;
mod events;
mod otlp;
mod otlp_json;
mod rows;
mod signatures;
mod spool;

use std::sync::LazyLock;

use chartwell::ingest::event::Reading;
use chartwell::rows::Rows;
use chrono::{DateTime, Utc};
use tokio::runtime::{Builder, Runtime};

/// What is looked at.
pub struct Target {
    pub name: &'static str,
    /// Checks an input, and returns the rows that were accepted of it.
    pub check: fn(&[u8]) -> Vec<Rows>,
    /// Inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

pub const EVENTS: Target = Target { name: "events", check: events::check_events, seeds: events::events };
pub const PRODUCT_EVENTS: Target =
    Target { name: "product-events", check: events::check_product_events, seeds: events::product_events };
pub const OTLP: Target = Target { name: "otlp", check: otlp::check, seeds: otlp::seeds };
pub const BODIES: Target = Target { name: "bodies", check: bodies::check, seeds: bodies::seeds };
pub const SIGNATURES: Target = Target { name: "signatures", check: signatures::check, seeds: signatures::seeds };
pub const SPOOL: Target = Target { name: "spool", check: spool::check, seeds: spool::seeds };
pub const ROWS: Target = Target { name: "rows", check: rows::check, seeds: rows::seeds };
pub const ANALYSES: Target = Target { name: "analyses", check: analyses::check, seeds: analyses::seeds };

/// What bodies are read on.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime"));

/// When inputs are read: seconds since 1970, in February 2026.
const NOW: i64 = 1_770_000_000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).expect("a time")
}

fn reading() -> Reading<'static> {
    Reading { now: now(), retention_days: 0, salt: "salt" }
}
