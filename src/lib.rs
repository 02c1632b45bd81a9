//! Chartwell: realtime analytics for AI assistants and agent-assist tools.

pub mod answer;
pub mod auth;
pub mod clickhouse;
pub mod config;
pub mod migrations;
pub mod query;
