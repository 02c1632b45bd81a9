//! Integration tests: one binary, one real engine, an account for each test.

mod architecture;
mod auth;
mod edge;
mod engine;
mod hostile;
mod ingestion;
mod migrations;
mod openapi;
mod recommendations;
mod support;
mod templates;
