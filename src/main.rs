//! The command line.

use chartwell::clickhouse::embedded::leave;
use chartwell::commands::{Cli, run};
use chartwell::traces::stop;
use clap::Parser;

/// Many small pieces of memory are asked for and given back for each request.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How it keeps memory: an arena for each core, and pages that nobody used for half a second go back.
/// `_RJEM_MALLOC_CONF` in the environment has the last word.
#[expect(unsafe_code, reason = "the allocator looks for a symbol of this name")]
// SAFETY: no other crate exports this name; the allocator reads it as a pointer to a string that ends with NUL.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static ALLOCATOR_SETTINGS: &[u8; 56] = b"percpu_arena:percpu,dirty_decay_ms:500,muzzy_decay_ms:0\0";

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
    stop();
    leave(code)
}
