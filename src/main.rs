//! The command line.

use std::process::exit;

use chartwell::commands::{Cli, run};
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let cli = Cli::parse();
    let code = match run(cli) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("chartwell: {error}");
            1
        }
    };
    // The engine's threads never end, and its destructors must not run: see `embedded::library`.
    exit(code)
}
