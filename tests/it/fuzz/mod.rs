//! Whatever comes in: inputs that are changed at random, and what must hold of each.
//!
//! `FUZZ_CASES` sets how many of each kind are tried; `make fuzz` looks for much longer, and where no test
//! has been. An input that fails is shown as Rust writes it: it becomes a test of its own.

mod changes;
mod stored;
mod targets;

use std::cell::RefCell;

use chartwell::rows::Rows;
use proptest::test_runner::{Config, TestRunner};

use changes::changed;
use targets::Target;

/// Tries a target; returns what it accepted.
fn try_out(target: &Target) -> Vec<Rows> {
    let cases = std::env::var("FUZZ_CASES").map_or(300, |cases| cases.parse().unwrap());
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let accepted = RefCell::new(Vec::new());
    let outcome = runner.run(&changed((target.seeds)()), |input| {
        accepted.borrow_mut().extend((target.check)(&input.0));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{}: {error}", target.name));
    accepted.into_inner()
}

#[test]
fn every_event_that_is_accepted_is_stored_as_it_is() {
    stored::check("fuzzed_events", try_out(&targets::EVENTS));
}

#[test]
fn a_product_event_that_is_accepted_tells_nobody_s_name_and_is_stored_as_it_is() {
    stored::check("fuzzed_product_events", try_out(&targets::PRODUCT_EVENTS));
}

#[test]
fn both_encodings_of_an_export_give_the_same_rows_and_those_are_stored_as_they_are() {
    stored::check("fuzzed_otlp", try_out(&targets::OTLP));
}

#[test]
fn a_body_is_what_was_compressed_or_is_refused() {
    try_out(&targets::BODIES);
}

#[test]
fn only_what_was_signed_with_the_secret_is_let_in() {
    try_out(&targets::SIGNATURES);
}

#[test]
fn a_damaged_spool_opens_with_all_that_is_whole() {
    try_out(&targets::SPOOL);
}

#[test]
fn any_bytes_are_rows_that_can_be_used_or_are_refused() {
    try_out(&targets::ROWS);
}

#[test]
fn an_analysis_is_all_numbers_or_its_problems_have_places() {
    try_out(&targets::ANALYSES);
}
