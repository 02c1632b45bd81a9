//! How long things took: exact for short ranges, from bins for long ones.

use chrono::Duration;
use minijinja::value::Value as Variable;

use crate::clickhouse::Sql;
use crate::query::{Range, Sources};

/// The longest range whose quantiles are exact: 30 days, one of which may have 25 hours.
const LONGEST_EXACT: Duration = Duration::hours(30 * 24 + 1);

/// What is measured, and how exactly its quantiles are to be known.
#[derive(Debug, Clone, Copy)]
pub struct Latencies {
    /// `'run'` or `'first_token'`, as the statement writes it.
    measured: &'static str,
    is_binned: bool,
}

impl Latencies {
    pub fn of(range: &Range, measured: &'static str, sources: Sources) -> Self {
        Self { measured, is_binned: sources == Sources::Any && range.to - range.from > LONGEST_EXACT }
    }

    /// The fields that are read, which decide where from.
    pub const fn fields(self) -> &'static [&'static str] {
        if self.is_binned { &["measured", "bin"] } else { &["measured", "milliseconds"] }
    }

    pub const fn notes(self) -> &'static [&'static str] {
        if self.is_binned {
            &[
                "The range is longer than 30 days, so values are counted in bins of 2 % width: each quantile is within 1 % of the exact one.",
            ]
        } else {
            &[]
        }
    }

    /// Names of `assistants/latencies.sql`.
    pub fn variables(self) -> Vec<(&'static str, Variable)> {
        vec![("measured", Sql::constant(self.measured).into()), ("is_binned", self.is_binned.into())]
    }
}
