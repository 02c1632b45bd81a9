//! How long things took: exact for short ranges, from bins for long ones. Templates extend `shared/latencies.sql`.

use chrono::Duration;
use minijinja::value::Value as Variable;

use crate::answer::QUANTILES;
use crate::clickhouse::Sql;
use crate::query::{Range, Sources, parameter, vocabulary};

vocabulary! {
    /// A quantile of a chart that is split.
    pub enum Quantile as "quantile" {
        P50 = "p50",
        P75 = "p75",
        P90 = "p90",
        P95 = "p95",
        P99 = "p99",
    }
}

parameter!(
    Quantile,
    Quantile::P95,
    "With `split_by`, the quantile that is shown for each group; without, all of them are shown."
);

impl Quantile {
    /// Its place among the quantiles that the engine answers with.
    pub fn index(self) -> usize {
        QUANTILES.iter().position(|name| *name == self.name()).unwrap_or_default()
    }
}

/// The longest range whose quantiles are exact: 30 days, one of which may have 25 hours.
const LONGEST_EXACT: Duration = Duration::hours(30 * 24 + 1);

/// A bin of latencies, as rollups number them: values from 1.02ⁿ milliseconds on, within 1 % of its middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bin(i16);

impl Bin {
    /// Of what took no time.
    const ZERO: i16 = i16::MIN;
    /// Of what told no latency.
    const UNTOLD: i16 = i16::MIN + 1;

    /// The bin of this number, unless it stands for what told no latency.
    pub fn told(number: i16) -> Option<Self> {
        (number != Self::UNTOLD).then_some(Self(number))
    }

    /// The value that its values are taken as.
    pub fn milliseconds(self) -> f64 {
        if self.0 == Self::ZERO { 0.0 } else { 1.02_f64.powi(self.0.into()) * 2.04 / 2.02 }
    }
}

/// What is measured, and how exactly its quantiles are to be known.
#[derive(Debug, Clone, Copy)]
pub struct Latencies {
    /// What the column `measured` says, as the statement writes it.
    measured: &'static str,
    is_binned: bool,
}

impl Latencies {
    pub fn of(range: &Range, measured: &'static str, sources: Sources) -> Self {
        Self { measured, is_binned: sources == Sources::Any && range.to - range.from > LONGEST_EXACT }
    }

    /// The same, exact whatever the range.
    pub const fn exact(self) -> Self {
        Self { is_binned: false, ..self }
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

    /// Names of `shared/latencies.sql`.
    pub fn variables(self) -> Vec<(&'static str, Variable)> {
        vec![("measured", Sql::constant(self.measured).into()), ("is_binned", self.is_binned.into())]
    }
}
