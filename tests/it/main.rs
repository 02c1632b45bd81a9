//! Integration tests: one binary, one real engine, an account for each test.

mod auth;
mod edge;
mod engine;
mod ingestion;
mod migrations;
mod recommendations;
mod support;
