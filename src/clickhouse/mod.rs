//! ClickHouse: one client for two places, SQL that is known to be safe, and how failures are told apart.

mod admission;
mod client;
mod connections;
pub mod embedded;
mod error;
mod freshness;
pub mod native;
mod running;
mod servers;
mod sql;
mod statement;
pub mod template;

pub use client::ClickHouse;
pub use connections::Place;
pub use error::{Failure, QueryError};
pub use freshness::Freshness;
pub use sql::{Sql, Value, Values, all_of, any_of};
pub use statement::{Rows, Statement};
