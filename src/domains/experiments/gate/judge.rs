//! From counts to a decision. Pure.
//!
//! A limit is *kept* when the whole interval lies at or below it, *exceeded* when the whole interval lies above it. A
//! variant is rolled back when a limit is exceeded; it passes when every limit is kept and there are interactions
//! enough; it is held otherwise.

use std::collections::BTreeSet;

use super::super::repository::InteractionsRow;
use super::schemas::{GateDecision, GateLatency, GateRate, GateReason, GateVariant, Limits};
use crate::latencies::Bin;
use crate::statistics::{quantile_levels, wilson_interval};

const LEVEL: f64 = 0.95;

/// Judges a variant by its rows, one for each bin of latencies.
pub fn judge(variant: &str, rows: &[&InteractionsRow], limits: Limits, (fewest, alpha): (u64, f64)) -> GateVariant {
    let (interactions, failed) =
        rows.iter().fold((0, 0), |(all, failed), row| (all + row.interactions, failed + row.failed));
    let error_rate = GateRate {
        numerator: failed,
        denominator: interactions,
        value: (interactions > 0).then(|| failed as f64 / interactions as f64),
        interval: wilson_interval(failed, interactions, alpha),
    };
    let latency = latency(rows, alpha);
    let rate = limits.error_rate.map(|limit| match error_rate.interval {
        Some([lower, _]) if lower > limit => (GateDecision::RollBack, GateReason::ErrorRateExceeded),
        Some([_, upper]) if upper <= limit => (GateDecision::Pass, GateReason::ErrorRateKept),
        _ => (GateDecision::Hold, GateReason::ErrorRateUncertain),
    });
    let p95 = limits.latency_p95_ms.map(|limit| match latency.interval {
        None => (GateDecision::Hold, GateReason::LatencyUnknown),
        Some([lower, _]) if lower > limit => (GateDecision::RollBack, GateReason::LatencyExceeded),
        Some([_, upper]) if upper <= limit => (GateDecision::Pass, GateReason::LatencyKept),
        Some(_) => (GateDecision::Hold, GateReason::LatencyUncertain),
    });
    let few = (interactions < fewest).then_some((GateDecision::Hold, GateReason::TooFewInteractions));
    let findings = [rate, p95, few].into_iter().flatten().filter(|_| interactions > 0);
    let (decision, reasons) = worst(findings.collect());
    GateVariant { variant: variant.to_owned(), decision, reasons, interactions, error_rate, latency }
}

/// The worst of several findings, and what is found so; without any, that there is nothing to go by.
pub fn worst(mut findings: Vec<(GateDecision, GateReason)>) -> (GateDecision, Vec<GateReason>) {
    if findings.is_empty() {
        findings.push((GateDecision::Hold, GateReason::NoData));
    }
    let decision = findings.iter().map(|(decision, _)| *decision).max().unwrap_or(GateDecision::Hold);
    let reasons: BTreeSet<GateReason> =
        findings.into_iter().filter(|(of, _)| *of == decision).map(|(_, reason)| reason).collect();
    (decision, reasons.into_iter().collect())
}

fn latency(rows: &[&InteractionsRow], alpha: f64) -> GateLatency {
    let mut bins: Vec<(Bin, u64)> =
        rows.iter().filter_map(|row| Some((Bin::told(row.bin)?, row.interactions))).collect();
    bins.sort_unstable_by_key(|(bin, _)| *bin);
    let samples: u64 = bins.iter().map(|(_, samples)| samples).sum();
    let quantile = |level: f64| {
        // The first value that has the level's part of all at or below it.
        let rank = ((level * samples as f64).ceil() as u64).clamp(1, samples);
        let mut before = 0;
        bins.iter().find_map(|(bin, samples)| {
            before += samples;
            (before >= rank).then(|| bin.milliseconds())
        })
    };
    let interval = (samples > 0).then(|| quantile_levels(LEVEL, samples, alpha).map(quantile));
    GateLatency {
        samples,
        p95_ms: (samples > 0).then(|| quantile(LEVEL)).flatten(),
        interval: interval.and_then(|[lower, upper]| Some([lower?, upper?])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 95 interactions of 100 ms and 5 of 1,000, of which `failed` failed.
    fn rows(times: u64, failed: u64) -> Vec<InteractionsRow> {
        let row = |milliseconds: f64, interactions: u64, failed: u64| InteractionsRow {
            variant: "B".to_owned(),
            bin: (milliseconds.ln() / 1.02_f64.ln()).floor() as i16,
            interactions,
            failed,
        };
        vec![row(100.0, 95 * times, failed), row(1_000.0, 5 * times, 0)]
    }

    fn judged(rows: &[InteractionsRow], error_rate: Option<f64>, latency_p95_ms: Option<f64>) -> GateVariant {
        let limits = Limits { error_rate, latency_p95_ms };
        judge("B", &rows.iter().collect::<Vec<_>>(), limits, (100, 0.01))
    }

    #[test]
    fn a_limit_is_kept_exceeded_or_not_told_yet() {
        let decided = |rows: &[InteractionsRow], limit| judged(rows, Some(limit), None).decision;
        assert_eq!(decided(&rows(100, 100), 0.02), GateDecision::Pass);
        assert_eq!(decided(&rows(100, 100), 0.005), GateDecision::RollBack);
        assert_eq!(decided(&rows(100, 100), 0.0101), GateDecision::Hold);
        let slow = judged(&rows(100, 0), None, Some(50.0));
        assert_eq!((slow.decision, slow.reasons), (GateDecision::RollBack, vec![GateReason::LatencyExceeded]));
        let fast = judged(&rows(100, 0), None, Some(1_020.0));
        assert_eq!((fast.decision, fast.reasons), (GateDecision::Pass, vec![GateReason::LatencyKept]));
    }

    #[test]
    fn the_quantile_is_that_of_the_values_within_a_hundredth() {
        let latency = judged(&rows(100, 0), None, Some(1.0)).latency;
        assert_eq!(latency.samples, 10_000);
        let within = |value: f64, wanted: f64| (value / wanted - 1.0).abs() <= 0.01;
        assert!(within(latency.p95_ms.unwrap(), 100.0), "{latency:?}");
        let [lower, upper] = latency.interval.unwrap();
        assert!(within(lower, 100.0) && within(upper, 1_000.0), "{latency:?}");
    }

    #[test]
    fn few_interactions_pass_nothing_but_may_be_rolled_back() {
        let few = judged(&rows(0, 0), Some(0.5), None);
        assert_eq!((few.decision, few.reasons), (GateDecision::Hold, vec![GateReason::NoData]));
        let of = |interactions, failed| {
            let row = InteractionsRow { variant: "B".to_owned(), bin: -32_767, interactions, failed };
            judged(&[row], Some(0.5), None)
        };
        let fine = of(50, 0);
        assert_eq!((fine.decision, fine.reasons), (GateDecision::Hold, vec![GateReason::TooFewInteractions]));
        assert_eq!(of(50, 50).decision, GateDecision::RollBack);
        assert_eq!(of(50, 0).latency, GateLatency { samples: 0, p95_ms: None, interval: None });
    }

    #[test]
    fn one_limit_that_is_exceeded_outweighs_one_that_is_kept() {
        let both = judged(&rows(100, 100), Some(0.02), Some(50.0));
        assert_eq!((both.decision, both.reasons), (GateDecision::RollBack, vec![GateReason::LatencyExceeded]));
        let both = judged(&rows(100, 100), Some(0.02), Some(2_000.0));
        assert_eq!(both.reasons, [GateReason::ErrorRateKept, GateReason::LatencyKept]);
    }
}
