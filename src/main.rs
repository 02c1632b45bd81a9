//! The command line.

use chartwell::clickhouse::embedded::leave;
use chartwell::commands::{Cli, run};
use clap::Parser;

/// Many small pieces of memory are asked for and given back for each request.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[expect(clippy::print_stderr, reason = "the one line that a failed command prints")]
fn main() {
    if fail::has_failpoints() {
        // Only in builds for tests.
        std::mem::forget(fail::FailScenario::setup());
    }
    let code = match run(Cli::parse()) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("chartwell: {error}");
            1
        }
    };
    leave(code)
}
