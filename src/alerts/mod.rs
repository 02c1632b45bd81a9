//! Alerts: numbers that are to stay within bounds, watched every minute, and told to whom it concerns.
//!
//! [`rules`] says what is watched, and [`mod@file`] reads it; [`metric`] asks for it, as anybody could; [`state`] decides; [`watch`] does so every
//! minute, at one instance at a time; [`outbox`] has what is to be told, and [`courier`] tells it, until it is heard; [`book`]
//! keeps all that for whoever comes next.

pub mod book;
pub mod courier;
pub mod endpoints;
pub mod file;
mod gauges;
mod guard;
pub mod metric;
pub mod outbox;
pub mod rules;
pub mod schemas;
mod service;
pub mod state;
mod summaries;
mod text;
pub mod watch;

pub use service::AlertsService;
