//! From counts by bucket to what is known by the end of each. Pure.

use chrono::{DateTime, Utc};

use super::super::service::Arms;
use super::schemas::ConversionShown;
use crate::answer::{Group, GroupedRow, Line, Lines, Number};
use crate::query::Buckets;
use crate::statistics::{Lift, Proportion, confidence_sequence};

/// A value with its bounds; what cannot be said is `None`.
type Bounded = [Option<f64>; 3];

/// Three lines for each variant that is shown: its value, and what bounds it from below and above.
pub fn lines(
    buckets: &Buckets,
    rows: &[GroupedRow],
    arms: &Arms,
    shown: ConversionShown,
    (alpha, tuning): (f64, f64),
    now: DateTime<Utc>,
) -> Lines {
    let counts = |name: &str| cumulative(buckets, rows, name, now);
    let baseline = counts(&arms.baseline);
    let variants = arms.weights.iter().map(|(name, _)| name.as_str());
    let variants = variants.filter(|name| shown == ConversionShown::Rate || *name != arms.baseline);
    let drawn = variants.flat_map(|name| {
        let known = counts(name);
        let bounded: Vec<Bounded> = known
            .iter()
            .zip(&baseline)
            .map(|(variant, baseline)| match shown {
                ConversionShown::Rate => rate(*variant, alpha, tuning),
                ConversionShown::Lift => lift(*baseline, *variant, alpha, tuning),
            })
            .collect();
        let line = move |(index, suffix): (usize, &str)| {
            // Of what has not begun nothing is known.
            let at = |at: usize| known.get(at).map_or((0, 0), |of| (of.successes, of.trials));
            Line {
                group: Group::Named(format!("{name}{suffix}")),
                values: (0..buckets.len()).map(|at| bounded.get(at)?[index].map(Number::Real)).collect(),
                parts: (shown == ConversionShown::Rate && index == 0).then(|| (0..buckets.len()).map(at).collect()),
            }
        };
        ["", ":lower", ":upper"].into_iter().enumerate().map(line).collect::<Vec<_>>()
    });
    Lines(drawn.collect())
}

/// Units that did it, of those exposed, by the end of each bucket that has begun.
fn cumulative(buckets: &Buckets, rows: &[GroupedRow], variant: &str, now: DateTime<Utc>) -> Vec<Proportion> {
    let starts = buckets.edges();
    let mut counts = vec![Proportion { successes: 0, trials: 0 }; starts.len()];
    for row in rows.iter().filter(|row| row.series == variant) {
        if let Ok(index) = starts.binary_search(&row.start) {
            counts[index].successes += row.numerator;
            counts[index].trials += row.denominator;
        }
    }
    let add = |so_far: &mut Proportion, count: Proportion| {
        so_far.successes += count.successes;
        so_far.trials += count.trials;
        Some(*so_far)
    };
    let begun = starts.iter().filter(|start| i64::from(**start) <= now.timestamp()).count();
    counts.into_iter().take(begun).scan(Proportion { successes: 0, trials: 0 }, add).collect()
}

fn rate(of: Proportion, alpha: f64, tuning: f64) -> Bounded {
    let sequence = of.sample().and_then(|sample| {
        let standard_error = sample.variance_of_mean()?.sqrt();
        let mean = Lift { value: sample.mean, standard_error, freedom: f64::INFINITY, units: sample.n as f64 };
        confidence_sequence(mean, alpha, tuning)
    });
    let bound = |index: usize| sequence.map(|sequence| sequence.interval[index].clamp(0.0, 1.0));
    [of.value(), bound(0), bound(1)]
}

fn lift(baseline: Proportion, of: Proportion, alpha: f64, tuning: f64) -> Bounded {
    let lift = baseline.sample().zip(of.sample()).and_then(|(baseline, of)| Lift::relative(baseline, of));
    let sequence = lift.and_then(|lift| confidence_sequence(lift, alpha, tuning));
    let bound = |index: usize| sequence.map(|sequence| sequence.interval[index]);
    [lift.map(|lift| lift.value), bound(0), bound(1)]
}
