//! Chartwell: realtime analytics for AI assistants and agent-assist tools.

pub mod answer;
pub mod app;
pub mod auth;
pub mod clickhouse;
pub mod commands;
pub mod config;
pub mod demo;
pub mod domains;
pub mod error;
pub mod http;
pub mod import;
pub mod ingest;
pub mod json;
pub mod migrations;
pub mod openapi;
pub mod page;
pub mod query;
pub mod repository;
pub mod rows;
pub mod service;
pub mod spool;
pub mod statistics;
pub mod telemetry;
pub mod topics;
pub mod verification;
pub mod writer;
