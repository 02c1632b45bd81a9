//! ClickHouse.

pub mod embedded;
