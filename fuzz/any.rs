//! Any of the targets of `tests/it/fuzz`, by the name in `FUZZ_TARGET`: see `make fuzz`.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

#[path = "../tests/it/fuzz/targets/mod.rs"]
mod targets;

use targets::Target;

const TARGETS: [Target; 8] = [
    targets::EVENTS,
    targets::PRODUCT_EVENTS,
    targets::OTLP,
    targets::BODIES,
    targets::SIGNATURES,
    targets::SPOOL,
    targets::ROWS,
    targets::ANALYSES,
];

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let wanted = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let names = TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    TARGETS.iter().find(|target| target.name == wanted).unwrap_or_else(|| panic!("FUZZ_TARGET is one of {names}"))
});

/// Where libFuzzer begins, and keeps what has led it to new code.
fn write_seeds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(TARGET.name);
    std::fs::create_dir_all(&corpus).expect("a folder");
    for (number, seed) in (TARGET.seeds)().into_iter().enumerate() {
        std::fs::write(corpus.join(format!("seed-{number}")), seed).expect("a file");
    }
}

fuzz_target!(
    init: write_seeds(),
    |input: &[u8]| {
        (TARGET.check)(input);
    }
);
