//! Charts over time: from rows by bucket and group to Material UI X props.

use std::collections::{HashMap, HashSet};

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Meta, Number, RangeMeta, Shape, csv};
use crate::query::{Buckets, Range};

/// A chart over time. `xAxis` and `series` are props of Material UI X's `<BarChart>` and `<LineChart>`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Chart {
    #[serde(rename = "xAxis")]
    pub x_axis: Vec<Axis>,
    pub series: Vec<Series>,
    /// The earlier period, where one was asked for: the same series, index by index.
    pub comparison: Option<ComparedChart>,
    pub meta: Meta,
}

/// The earlier period of a chart. Where it has fewer buckets, the last ones are null.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparedChart {
    pub range: RangeMeta,
    #[serde(rename = "xAxis")]
    pub x_axis: Vec<Axis>,
    pub series: Vec<Series>,
}

/// The time axis.
#[derive(Debug, Serialize, ToSchema)]
pub struct Axis {
    #[schema(example = "time")]
    pub id: &'static str,
    #[serde(rename = "scaleType")]
    pub scale_type: ScaleType,
    /// Starts of the buckets, RFC 3339 with the offset of the zone.
    pub data: Vec<Option<String>>,
}

/// The scale of an axis: a band for each bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScaleType {
    Band,
}

/// A line, or a layer of a stack.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Series {
    #[schema(example = "autocomplete")]
    pub id: String,
    #[schema(example = "autocomplete")]
    pub label: String,
    /// A value for each bucket; null where there is none.
    pub data: Vec<Option<Number>>,
    /// Series with the same stack are drawn on top of each other, and add up to the total.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "total", nullable = false)]
    pub stack: Option<&'static str>,
}

/// What the engine answers for a chart: a value by bucket and group.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub struct GroupedRow {
    /// Start of the bucket, as a Unix time.
    pub bucket: u32,
    /// The group; `None` for the rest, which are all groups beyond the largest.
    pub series: Option<String>,
    pub numerator: u64,
    /// 0 where the measure is a count.
    pub denominator: u64,
}

/// How a row becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The numerator. Adds up, so series are stacked.
    Count,
    /// Numerator ÷ denominator; null without a denominator.
    Ratio,
}

impl Measure {
    /// The column by which a group is large: the count, or the sample of a ratio.
    pub const fn size(self) -> &'static str {
        match self {
            Self::Count => "numerator",
            Self::Ratio => "denominator",
        }
    }

    fn size_of(self, row: &GroupedRow) -> u64 {
        match self {
            Self::Count => row.numerator,
            Self::Ratio => row.denominator,
        }
    }
}

/// What a chart is like before it has values.
#[derive(Debug, Clone)]
pub struct Outline {
    pub measure: Measure,
    pub unit: &'static str,
    /// Names the one series of a chart that is not split; `None` when it is split.
    pub only_series: Option<&'static str>,
}

/// The name of the group of rows that have no value in the field that is split by.
pub const NO_GROUP: &str = "none";
/// The name of the rest.
const REST: &str = "other";

/// Draws a chart; `earlier` is the period that it is compared with.
pub fn chart(
    outline: &Outline,
    buckets: &Buckets,
    rows: &[GroupedRow],
    earlier: Option<(&Range, &Buckets, &[GroupedRow])>,
    meta: Meta,
) -> Chart {
    let earlier_rows = earlier.map(|(_, _, rows)| rows).unwrap_or_default();
    let groups = groups(outline, rows, earlier_rows);
    let comparison = earlier.map(|(range, earlier_buckets, rows)| {
        let mut labels: Vec<Option<String>> = earlier_buckets.labels().into_iter().map(Some).collect();
        labels.resize(buckets.len(), None);
        let mut series = series(outline, earlier_buckets, &groups, rows);
        series.iter_mut().for_each(|series| series.data.resize(buckets.len(), None));
        ComparedChart { range: RangeMeta::new(range), x_axis: vec![axis(labels)], series }
    });
    Chart {
        x_axis: vec![axis(buckets.labels().into_iter().map(Some).collect())],
        series: series(outline, buckets, &groups, rows),
        comparison,
        meta: Meta {
            aggregation_level: Some(buckets.level.name().to_owned()),
            unit: Some(outline.unit.to_owned()),
            ..meta
        },
    }
}

fn axis(data: Vec<Option<String>>) -> Axis {
    Axis { id: "time", scale_type: ScaleType::Band, data }
}

/// Groups by their size, the largest first; equal ones by name.
fn by_size(rows: &[GroupedRow], measure: Measure) -> Vec<&String> {
    let mut sizes: HashMap<&String, u64> = HashMap::new();
    for row in rows {
        if let Some(group) = &row.series {
            *sizes.entry(group).or_default() += measure.size_of(row);
        }
    }
    let mut groups: Vec<(u64, &String)> = sizes.into_iter().map(|(group, size)| (size, group)).collect();
    groups.sort_by(|(a_size, a), (b_size, b)| b_size.cmp(a_size).then(a.cmp(b)));
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The rows with only the largest groups told apart; the others become the rest.
pub fn keep_largest(rows: &[GroupedRow], top: u64, measure: Measure) -> Vec<GroupedRow> {
    let largest = by_size(rows, measure).into_iter().take(usize::try_from(top).unwrap_or(usize::MAX));
    keep(rows, &largest.map(String::as_str).collect())
}

/// The rows with only these groups told apart; the others become the rest.
pub fn keep_groups(rows: &[GroupedRow], kept: &[String]) -> Vec<GroupedRow> {
    keep(rows, &kept.iter().map(String::as_str).collect())
}

fn keep(rows: &[GroupedRow], kept: &HashSet<&str>) -> Vec<GroupedRow> {
    let is_kept = |row: &GroupedRow| row.series.as_deref().is_some_and(|group| kept.contains(group));
    rows.iter().map(|row| if is_kept(row) { row.clone() } else { GroupedRow { series: None, ..row.clone() } }).collect()
}

/// The groups, the largest first, which is the bottom of a stack; the rest comes last.
fn groups(outline: &Outline, rows: &[GroupedRow], earlier_rows: &[GroupedRow]) -> Vec<Option<String>> {
    if outline.only_series.is_some() {
        return vec![Some(String::new())];
    }
    let mut groups: Vec<Option<String>> = by_size(rows, outline.measure).into_iter().cloned().map(Some).collect();
    if rows.iter().chain(earlier_rows).any(|row| row.series.is_none()) {
        groups.push(None);
    }
    groups
}

fn series(outline: &Outline, buckets: &Buckets, groups: &[Option<String>], rows: &[GroupedRow]) -> Vec<Series> {
    let mut cells: HashMap<Option<&str>, Vec<(u64, u64)>> = HashMap::new();
    for row in rows {
        // A row outside of the axis cannot be: the engine got the same instants.
        let Some(index) = buckets.index_of(row.bucket) else { continue };
        let cells = cells.entry(row.series.as_deref()).or_insert_with(|| vec![(0, 0); buckets.len()]);
        cells[index].0 += row.numerator;
        cells[index].1 += row.denominator;
    }
    let empty = vec![(0, 0); buckets.len()];
    let value = |(numerator, denominator): &(u64, u64)| match outline.measure {
        Measure::Count => Some(Number::Count(*numerator)),
        Measure::Ratio => Number::ratio(*numerator, *denominator),
    };
    let taken: Vec<&str> = groups.iter().filter_map(Option::as_deref).collect();
    groups
        .iter()
        .map(|group| {
            let id = match (outline.only_series, group.as_deref()) {
                (Some(only), _) => only.to_owned(),
                (None, Some("")) => free_name(NO_GROUP, &taken),
                (None, Some(group)) => group.to_owned(),
                (None, None) => free_name(REST, &taken),
            };
            Series {
                label: id.clone(),
                id,
                data: cells.get(&group.as_deref()).unwrap_or(&empty).iter().map(value).collect(),
                stack: (outline.measure == Measure::Count).then_some("total"),
            }
        })
        .collect()
}

/// A name for a group of ours that no real group has.
fn free_name(name: &str, taken: &[&str]) -> String {
    let mut free = name.to_owned();
    while taken.contains(&free.as_str()) {
        free.insert(0, '_');
    }
    free
}

impl Shape for Chart {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        let earlier = self.comparison.as_ref().map(|comparison| comparison.series.as_slice()).unwrap_or_default();
        let names = self.series.iter().map(|series| series.label.clone());
        let earlier_names = earlier.iter().map(|series| format!("{} (earlier)", series.label));
        let header = std::iter::once("time".to_owned()).chain(names).chain(earlier_names);
        let rows = self.x_axis[0].data.iter().enumerate().map(|(index, time)| {
            let values = self.series.iter().chain(earlier).map(move |series| Number::text(series.data[index]));
            std::iter::once(time.clone().unwrap_or_default()).chain(values)
        });
        csv::write(header, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Aggregation, Level};

    fn axis_of(from: &str, days: i64) -> Buckets {
        let from = from.parse().unwrap();
        let range = Range { zone: chrono_tz::UTC, from, to: from + chrono::Duration::days(days) };
        Aggregation(Level::Day).buckets(&range).unwrap()
    }

    fn row(buckets: &Buckets, index: usize, series: Option<&str>, numerator: u64, denominator: u64) -> GroupedRow {
        GroupedRow { bucket: buckets.edges()[index], series: series.map(str::to_owned), numerator, denominator }
    }

    const SPLIT: Outline = Outline { measure: Measure::Count, unit: "messages", only_series: None };

    #[test]
    fn an_empty_count_is_zero_and_an_empty_ratio_is_null() {
        let buckets = axis_of("2026-02-01T00:00:00Z", 2);
        let count = Outline { only_series: Some("messages"), ..SPLIT };
        let drawn = chart(&count, &buckets, &[], None, Meta::default());
        assert_eq!(drawn.series[0].data, [Some(Number::Count(0)), Some(Number::Count(0))]);
        let ratio = Outline { measure: Measure::Ratio, ..count };
        let rows = [row(&buckets, 1, Some(""), 1, 4)];
        let drawn = chart(&ratio, &buckets, &rows, None, Meta::default());
        assert_eq!(drawn.series[0].data, [None, Some(Number::Real(0.25))]);
        assert_eq!(drawn.csv(), "time,messages\r\n2026-02-01T00:00:00+00:00,\r\n2026-02-02T00:00:00+00:00,0.25\r\n");
    }

    #[test]
    fn the_largest_group_comes_first_and_the_rest_last() {
        let buckets = axis_of("2026-02-01T00:00:00Z", 1);
        let rows = [
            row(&buckets, 0, Some("b"), 1, 0),
            row(&buckets, 0, None, 9, 0),
            row(&buckets, 0, Some("a"), 5, 0),
            row(&buckets, 0, Some(""), 1, 0),
        ];
        let drawn = chart(&SPLIT, &buckets, &rows, None, Meta::default());
        let ids: Vec<&str> = drawn.series.iter().map(|series| series.id.as_str()).collect();
        assert_eq!(ids, ["a", "none", "b", "other"]);
        assert!(drawn.series.iter().all(|series| series.stack == Some("total")));
    }

    #[test]
    fn groups_beyond_the_largest_become_the_rest() {
        let buckets = axis_of("2026-02-01T00:00:00Z", 2);
        let rows = [
            row(&buckets, 0, Some("a"), 3, 0),
            row(&buckets, 1, Some("b"), 5, 0),
            row(&buckets, 1, Some("c"), 1, 0),
            row(&buckets, 0, Some("b"), 1, 0),
        ];
        let named = |rows: Vec<GroupedRow>| {
            rows.into_iter().map(|row| row.series.unwrap_or("rest".to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(named(keep_largest(&rows, 1, Measure::Count)), ["rest", "b", "rest", "b"]);
        assert_eq!(named(keep_largest(&rows, 10, Measure::Count)), ["a", "b", "c", "b"]);
        assert_eq!(named(keep_groups(&rows, &["c".to_owned()])), ["rest", "rest", "c", "rest"]);
    }

    #[test]
    fn groups_that_have_the_names_of_ours_keep_them() {
        let buckets = axis_of("2026-02-01T00:00:00Z", 1);
        let rows = [row(&buckets, 0, Some("other"), 2, 0), row(&buckets, 0, None, 1, 0)];
        let drawn = chart(&SPLIT, &buckets, &rows, None, Meta::default());
        let ids: Vec<&str> = drawn.series.iter().map(|series| series.id.as_str()).collect();
        assert_eq!(ids, ["other", "_other"]);
    }

    #[test]
    fn the_earlier_period_has_the_same_series_and_the_same_length() {
        let (march, february) = (axis_of("2026-03-01T00:00:00Z", 31), axis_of("2026-02-01T00:00:00Z", 28));
        let rows = [row(&march, 0, Some("a"), 5, 0)];
        let earlier_rows = [row(&february, 27, Some("a"), 3, 0), row(&february, 0, None, 1, 0)];
        let range = Range { zone: chrono_tz::UTC, from: february.starts[0], to: february.end };
        let drawn = chart(&SPLIT, &march, &rows, Some((&range, &february, &earlier_rows)), Meta::default());
        let earlier = drawn.comparison.unwrap();
        assert_eq!(drawn.series.len(), 2);
        assert_eq!(earlier.series[0].data[27..], [Some(Number::Count(3)), None, None, None]);
        assert_eq!(earlier.x_axis[0].data[28..], [None, None, None]);
        assert_eq!(earlier.series[1].data[0], Some(Number::Count(1)));
    }
}
