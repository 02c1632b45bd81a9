//! The lines of a chart: a value for each bucket, by group.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use clickhouse::Row;
use serde::Deserialize;

use super::{Measure, Number};
use crate::query::Buckets;

/// What a line is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Group {
    /// A line that every answer of the chart has.
    Fixed(&'static str),
    /// The rows with this value; an empty one is none.
    Named(String),
    /// All groups that are not told apart.
    Rest,
}

/// A line; as long as its axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub group: Group,
    pub values: Vec<Option<Number>>,
    /// Where values are ratios of counts.
    pub parts: Option<Parts>,
}

/// What the ratios of a line are made of; each as long as the axis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    pub numerator: Vec<u64>,
    pub denominator: Vec<u64>,
}

impl Line {
    /// A line of values that are no ratios of counts.
    pub fn of(group: Group, values: Vec<Option<Number>>) -> Self {
        Self { group, values, parts: None }
    }
}

impl FromIterator<(u64, u64)> for Parts {
    fn from_iter<I: IntoIterator<Item = (u64, u64)>>(pairs: I) -> Self {
        let (numerator, denominator) = pairs.into_iter().unzip();
        Self { numerator, denominator }
    }
}

/// The lines of a chart in the order in which they are drawn: the largest first, the rest last.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines(pub Vec<Line>);

impl Lines {
    /// The groups that are told apart.
    pub fn names(&self) -> HashSet<String> {
        let name = |line: &Line| match &line.group {
            Group::Named(name) => Some(name.clone()),
            Group::Fixed(_) | Group::Rest => None,
        };
        self.0.iter().filter_map(name).collect()
    }

    pub(super) fn has_rest(&self) -> bool {
        self.0.iter().any(|line| line.group == Group::Rest)
    }

    pub(super) fn of(&self, group: &Group) -> Option<&Line> {
        self.0.iter().find(|line| line.group == *group)
    }
}

/// What the engine answers for a chart of quantiles: those of a group in a bucket.
#[derive(Debug, Clone, PartialEq, Row, Deserialize)]
pub struct QuantilesRow {
    /// Start of the bucket, as a Unix time.
    pub start: u32,
    pub series: String,
    /// 1 for the rest, which are all groups beyond the largest.
    pub is_rest: u8,
    /// How many values there are.
    pub size: u64,
    /// At the levels of [`QUANTILES`], in their order.
    pub quantiles: Vec<f64>,
}

/// The quantiles that charts show, in this order.
pub const QUANTILES: [&str; 5] = ["p50", "p75", "p90", "p95", "p99"];
/// Their levels, as a statement lists them.
pub const QUANTILE_LEVELS: &str = "0.5, 0.75, 0.9, 0.95, 0.99";

/// A line for each quantile, of rows that are not split.
pub fn quantile_lines(buckets: &Buckets, rows: &[QuantilesRow]) -> Lines {
    let line = |(index, name): (usize, &&'static str)| {
        let mut values = vec![Measure::Quantile.nothing(); buckets.len()];
        place(buckets, rows, index, |_, bucket, value| values[bucket] = value);
        Line::of(Group::Fixed(name), values)
    };
    Lines(QUANTILES.iter().enumerate().map(line).collect())
}

/// A quantile of a group that is known, as a line of a chart.
#[derive(Debug, Clone, Copy)]
pub struct QuantileLine {
    pub name: &'static str,
    pub group: &'static str,
    /// Its place in [`QUANTILES`].
    pub quantile: usize,
}

/// These lines, of rows that are split by known groups.
pub fn lines_of_known_groups(buckets: &Buckets, rows: &[QuantilesRow], lines: &[QuantileLine]) -> Lines {
    let line = |shown: &QuantileLine| {
        let mut values = vec![Measure::Quantile.nothing(); buckets.len()];
        place(buckets, rows, shown.quantile, |row, bucket, value| {
            if row.series == shown.group && row.is_rest == 0 {
                values[bucket] = value;
            }
        });
        Line::of(Group::Fixed(shown.name), values)
    };
    Lines(lines.iter().map(line).collect())
}

/// A line for each group, of one quantile, which is given by its place in [`QUANTILES`].
pub fn lines_of_quantile(buckets: &Buckets, rows: &[QuantilesRow], index: usize) -> Lines {
    // The rest, which has no name, comes behind all that have one; then the largest first, equal ones by name.
    let mut groups: BTreeMap<(bool, &str), Line> = BTreeMap::new();
    let mut sizes: HashMap<Group, u64> = HashMap::new();
    place(buckets, rows, index, |row, bucket, value| {
        let line = groups.entry((row.is_rest > 0, &row.series)).or_insert_with(|| {
            let group = if row.is_rest > 0 { Group::Rest } else { Group::Named(row.series.clone()) };
            Line::of(group, vec![Measure::Quantile.nothing(); buckets.len()])
        });
        line.values[bucket] = value;
        *sizes.entry(line.group.clone()).or_default() += row.size;
    });
    let mut lines: Vec<Line> = groups.into_values().collect();
    lines.sort_by_key(|line| (line.group == Group::Rest, Reverse(sizes[&line.group])));
    Lines(lines)
}

/// Gives each row with its bucket and the value of one quantile.
fn place<'r>(
    buckets: &Buckets,
    rows: &'r [QuantilesRow],
    index: usize,
    mut put: impl FnMut(&'r QuantilesRow, usize, Option<Number>),
) {
    let edges = buckets.edges();
    for row in rows {
        // A row outside of the axis cannot be: the engine got the same edges.
        if let (Ok(bucket), Some(value)) = (edges.binary_search(&row.start), row.quantiles.get(index)) {
            put(row, bucket, Some(Number::Real(*value)).filter(|_| row.size > 0 && value.is_finite()));
        }
    }
}
