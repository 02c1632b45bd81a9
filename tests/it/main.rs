//! Integration tests: one binary, one real engine, an account for each test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ancestors;
mod architecture;
mod assistants;
mod auth;
mod batch_sender;
mod canaries;
mod crash;
mod demo;
mod edge;
mod engine;
mod entities;
mod examples;
mod experiments;
mod front;
mod fuzz;
mod heavy;
mod hostile;
mod import;
mod ingestion;
mod kafka;
mod migrations;
mod native;
mod openapi;
mod operational;
mod otlp;
mod outage;
mod postgres;
mod prices;
mod product;
mod product_events;
mod program;
mod proxy;
mod readme;
mod recommendations;
mod restarts;
mod sdks;
mod sender;
mod servers;
mod signed;
mod spool;
mod support;
mod templates;
mod voice_agents;
mod writer;
