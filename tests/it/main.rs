//! Integration tests: one binary, one real engine, a database for each test.

mod engine;
mod support;
