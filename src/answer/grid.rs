//! The values of a chart by group and bucket, dense.

use std::collections::{HashMap, HashSet};

use clickhouse::Row;
use serde::Deserialize;

use super::{Group, Line, Lines, Number};
use crate::query::Buckets;

/// What the engine answers for a chart: a value by bucket and group.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub struct GroupedRow {
    /// Start of the bucket, as a Unix time.
    pub start: u32,
    pub series: String,
    /// 1 for the rest, which are all groups beyond the largest.
    pub is_rest: u8,
    pub numerator: u64,
    /// 0 where the measure is a count.
    pub denominator: u64,
}

/// How a cell becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The numerator. Adds up, so series are stacked.
    Count,
    /// US dollars; the numerator is billionths of one. Adds up as well.
    Money,
    /// Numerator ÷ denominator; null without a denominator.
    Ratio,
    /// How many different ones there are. Does not add up: one may be in several groups and buckets.
    Distinct,
    /// A quantile of values; null where there are none.
    Quantile,
}

/// Billionths of a US dollar.
const DOLLAR: f64 = 1e9;

impl Measure {
    /// Whether the values of groups add up to the value of all.
    pub const fn adds_up(self) -> bool {
        matches!(self, Self::Count | Self::Money)
    }

    /// The value where there are no rows.
    pub fn nothing(self) -> Option<Number> {
        self.value(Cell::default())
    }

    /// The column by which a group is large: the count, or the sample of a ratio.
    pub const fn size(self) -> &'static str {
        match self {
            Self::Count | Self::Money | Self::Distinct => "numerator",
            Self::Ratio | Self::Quantile => "denominator",
        }
    }

    fn size_of(self, cells: &[Cell]) -> u64 {
        match self {
            Self::Count | Self::Money | Self::Distinct => {
                cells.iter().map(|cell| cell.numerator).fold(0, u64::saturating_add)
            }
            Self::Ratio | Self::Quantile => cells.iter().map(|cell| cell.denominator).fold(0, u64::saturating_add),
        }
    }

    fn value(self, cell: Cell) -> Option<Number> {
        match self {
            Self::Count | Self::Distinct => Some(Number::Count(cell.numerator)),
            Self::Money => Some(Number::Real(cell.numerator as f64 / DOLLAR)),
            Self::Ratio => Number::ratio(cell.numerator, cell.denominator),
            // A grid has sums, and no quantile can be made of those.
            Self::Quantile => None,
        }
    }
}

/// One group in one bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cell {
    numerator: u64,
    denominator: u64,
}

/// Cells by group, each as long as the axis; the group of `None` is the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    groups: HashMap<Option<String>, Vec<Cell>>,
}

impl Grid {
    pub fn new(buckets: &Buckets, rows: &[GroupedRow]) -> Self {
        let edges = buckets.edges();
        let mut groups: HashMap<Option<&str>, Vec<Cell>> = HashMap::new();
        for row in rows {
            // A row outside of the axis cannot be: the engine got the same edges.
            let Ok(index) = edges.binary_search(&row.start) else { continue };
            // A group of nothing but zeros is none.
            if row.numerator == 0 && row.denominator == 0 {
                continue;
            }
            let group = (row.is_rest == 0).then_some(row.series.as_str());
            let cells = groups.entry(group).or_insert_with(|| vec![Cell::default(); buckets.len()]);
            cells[index].numerator = cells[index].numerator.saturating_add(row.numerator);
            cells[index].denominator = cells[index].denominator.saturating_add(row.denominator);
        }
        Self { groups: groups.into_iter().map(|(group, cells)| (group.map(str::to_owned), cells)).collect() }
    }

    /// With only the largest groups told apart; the others become the rest.
    pub fn keep_largest(self, top: u64, measure: Measure) -> Self {
        let top = usize::try_from(top).unwrap_or(usize::MAX);
        let largest: HashSet<String> = self.by_size(measure).into_iter().take(top).map(str::to_owned).collect();
        self.keep(&largest)
    }

    /// With only these groups told apart; the others become the rest.
    pub fn keep(self, kept: &HashSet<String>) -> Self {
        let mut groups: HashMap<Option<String>, Vec<Cell>> = HashMap::with_capacity(kept.len() + 1);
        for (group, cells) in self.groups {
            let group = group.filter(|group| kept.contains(group));
            let sums = groups.entry(group).or_insert_with(|| vec![Cell::default(); cells.len()]);
            for (sum, cell) in sums.iter_mut().zip(cells) {
                sum.numerator = sum.numerator.saturating_add(cell.numerator);
                sum.denominator = sum.denominator.saturating_add(cell.denominator);
            }
        }
        Self { groups }
    }

    /// The values as lines; a chart that is not split has one, whose name is given.
    pub fn lines(&self, buckets: &Buckets, measure: Measure, only: Option<&'static str>) -> Lines {
        let line = |group: Group, key: Option<&str>| {
            let empty = vec![Cell::default(); buckets.len()];
            let cells = self.groups.get(&key.map(str::to_owned)).unwrap_or(&empty);
            Line {
                group,
                values: cells.iter().map(|cell| measure.value(*cell)).collect(),
                parts: (measure == Measure::Ratio)
                    .then(|| cells.iter().map(|cell| (cell.numerator, cell.denominator)).collect()),
            }
        };
        if let Some(only) = only {
            return Lines(vec![line(Group::Fixed(only), Some(""))]);
        }
        let named = self.by_size(measure).into_iter().map(|name| line(Group::Named(name.to_owned()), Some(name)));
        let rest = self.groups.contains_key(&None).then(|| line(Group::Rest, None));
        Lines(named.chain(rest).collect())
    }

    /// Groups by their size, the largest first; equal ones by name.
    fn by_size(&self, measure: Measure) -> Vec<&str> {
        let sized = self.groups.iter().filter_map(|(group, cells)| Some((group.as_deref()?, measure.size_of(cells))));
        let mut groups: Vec<(&str, u64)> = sized.collect();
        groups.sort_by(|(a, a_size), (b, b_size)| b_size.cmp(a_size).then(a.cmp(b)));
        groups.into_iter().map(|(group, _)| group).collect()
    }
}
