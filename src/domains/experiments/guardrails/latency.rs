//! How long runs of variants took. Pure.

use super::super::repository::RunsRow;
use super::super::service::Arms;
use super::schemas::LatencyOfVariant;

/// The 95th percentile of each variant, with its bounds.
pub fn latencies(arms: &Arms, rows: &[RunsRow]) -> Vec<LatencyOfVariant> {
    let of = |(name, _): &(String, f64)| {
        let row = rows.iter().find(|row| row.variant == *name && row.ended_runs > 0);
        let quantiles = row.and_then(|row| <[f64; 3]>::try_from(row.p95_ms.as_slice()).ok());
        LatencyOfVariant {
            variant: name.clone(),
            runs: row.map_or(0, |row| row.ended_runs),
            p95_ms: quantiles.map(|[_, p95, _]| p95),
            interval: quantiles.map(|[lower, _, upper]| [lower, upper]),
        }
    };
    arms.weights.iter().map(of).collect()
}
