//! Assistants: what the charts mean, and the truth about all of them.

mod anomalies;
mod charts;
mod regressions;
mod slo;
mod spans;
mod tables;
mod totals;
mod traces;
mod truth;
