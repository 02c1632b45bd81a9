//! Integration tests: one binary, one real engine, an account for each test.

mod auth;
mod engine;
mod migrations;
mod recommendations;
mod support;
