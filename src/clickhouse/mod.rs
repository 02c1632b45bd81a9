//! ClickHouse.

pub mod embedded;
mod error;
mod sql;
pub mod template;

pub use error::{Failure, QueryError};
pub use sql::{Sql, Value, Values, all_of, any_of};
