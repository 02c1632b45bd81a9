//! What the program is deployed with, as far as there is something here that can execute it: the settings of ClickHouse by
//! the embedded engine, those of PostgreSQL by a PostgreSQL, those of the balancer by an HAProxy, dashboards by their
//! statements. `make deploy` checks the rest, and `docs/operations.md` says what nobody has executed.

mod balancer;
mod cluster_check;
mod dashboards;
mod database;
mod engine;
mod runbook;
mod settings;

use std::path::PathBuf;

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
