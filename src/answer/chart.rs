//! Charts over time: from rows by bucket and group to Material UI X props.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Group, Line, Lines, Measure, Meta, Number, RangeMeta, Shape, csv};
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
    /// Where values are ratios: what was counted of the denominator, for each bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub numerator: Option<Vec<u64>>,
    /// Where values are ratios: of how many, for each bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub denominator: Option<Vec<u64>>,
    /// Series with the same stack are drawn on top of each other, and add up to the total.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "total", nullable = false)]
    pub stack: Option<&'static str>,
}

impl Series {
    /// As long as another axis, of which nothing is known where this one has ended.
    fn resize(&mut self, length: usize) {
        self.data.resize(length, None);
        for parts in [&mut self.numerator, &mut self.denominator].into_iter().flatten() {
            parts.resize(length, 0);
        }
    }
}

/// What a chart is like before it has values.
#[derive(Debug, Clone, Copy)]
pub struct Outline {
    pub measure: Measure,
    pub unit: &'static str,
}

/// The name of the group of rows that have no value in the field that is split by.
pub const NO_GROUP: &str = "none";
/// The name of the rest.
const REST: &str = "other";

/// Draws a chart; `earlier` is the period that it is compared with.
pub fn chart(
    outline: Outline,
    buckets: &Buckets,
    lines: &Lines,
    earlier: Option<(&Range, &Buckets, &Lines)>,
    meta: Meta,
) -> Chart {
    let mut groups: Vec<&Group> = lines.0.iter().map(|line| &line.group).collect();
    if !lines.has_rest() && earlier.is_some_and(|(_, _, lines)| lines.has_rest()) {
        groups.push(&Group::Rest);
    }
    let comparison = earlier.map(|(range, earlier_buckets, lines)| {
        let mut labels: Vec<Option<String>> = earlier_buckets.labels().into_iter().map(Some).collect();
        labels.resize(buckets.len(), None);
        let mut series = series(outline, earlier_buckets, &groups, lines);
        series.iter_mut().for_each(|series| series.resize(buckets.len()));
        ComparedChart { range: RangeMeta::new(range), x_axis: vec![axis(labels)], series }
    });
    Chart {
        x_axis: vec![axis(buckets.labels().into_iter().map(Some).collect())],
        series: series(outline, buckets, &groups, lines),
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

fn series(outline: Outline, buckets: &Buckets, groups: &[&Group], lines: &Lines) -> Vec<Series> {
    let empty = Line::of(Group::Rest, vec![outline.measure.nothing(); buckets.len()]);
    let named = groups.iter().filter_map(|group| match group {
        Group::Named(name) if !name.is_empty() => Some(name.as_str()),
        _ => None,
    });
    let taken: Vec<&str> = named.collect();
    groups
        .iter()
        .map(|group| {
            let id = match group {
                Group::Fixed(name) => (*name).to_owned(),
                Group::Named(name) if name.is_empty() => free_name(NO_GROUP, &taken),
                Group::Named(name) => name.clone(),
                Group::Rest => free_name(REST, &taken),
            };
            let line = lines.of(group).unwrap_or(&empty);
            Series {
                label: id.clone(),
                id,
                data: line.values.clone(),
                numerator: line.parts.as_ref().map(|parts| parts.numerator.clone()),
                denominator: line.parts.as_ref().map(|parts| parts.denominator.clone()),
                stack: outline.measure.adds_up().then_some("total"),
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
    use super::super::{Grid, GroupedRow};
    use super::*;
    use crate::query::{Aggregation, Level};

    fn axis_of(from: &str, days: i64) -> Buckets {
        let from = from.parse().unwrap();
        let range = Range { zone: chrono_tz::UTC, from, to: from + chrono::Duration::days(days) };
        Aggregation(Level::Day).buckets(&range).unwrap()
    }

    fn row(buckets: &Buckets, index: usize, series: Option<&str>, numerator: u64, denominator: u64) -> GroupedRow {
        GroupedRow {
            start: buckets.edges()[index],
            series: series.unwrap_or_default().to_owned(),
            is_rest: u8::from(series.is_none()),
            numerator,
            denominator,
        }
    }

    const SPLIT: Outline = Outline { measure: Measure::Count, unit: "messages" };

    fn split(buckets: &Buckets, rows: &[GroupedRow]) -> Lines {
        Grid::new(buckets, rows).lines(buckets, SPLIT.measure, None)
    }

    #[test]
    fn an_empty_count_is_zero_and_an_empty_ratio_is_null() {
        let buckets = axis_of("2026-02-01T00:00:00Z", 2);
        let drawn = |measure, rows: &[GroupedRow]| {
            let lines = Grid::new(&buckets, rows).lines(&buckets, measure, Some("messages"));
            chart(Outline { measure, ..SPLIT }, &buckets, &lines, None, Meta::default())
        };
        let empty = drawn(Measure::Count, &[]);
        assert_eq!(empty.series[0].data, [Some(Number::Count(0)), Some(Number::Count(0))]);
        assert_eq!(drawn(Measure::Quantile, &[]).series[0].data, [None, None]);
        let drawn = drawn(Measure::Ratio, &[row(&buckets, 1, Some(""), 1, 4)]);
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
        let drawn = chart(SPLIT, &buckets, &split(&buckets, &rows), None, Meta::default());
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
        let grid = Grid::new(&buckets, &rows);
        let drawn = |grid: Grid| {
            let drawn = chart(SPLIT, &buckets, &grid.lines(&buckets, SPLIT.measure, None), None, Meta::default());
            drawn.series.into_iter().map(|series| (series.id, series.data)).collect::<Vec<_>>()
        };
        let series = |id: &str, data: [u64; 2]| (id.to_owned(), data.map(|count| Some(Number::Count(count))).to_vec());
        let all = [series("b", [1, 5]), series("a", [3, 0]), series("c", [0, 1])];
        assert_eq!(drawn(grid.clone().keep_largest(10, Measure::Count)), all);
        assert_eq!(drawn(grid.clone().keep_largest(1, Measure::Count)), [series("b", [1, 5]), series("other", [3, 1])]);
        let kept = grid.keep(&["c".to_owned()].into());
        assert_eq!(drawn(kept), [series("c", [0, 1]), series("other", [4, 5])]);
    }

    #[test]
    fn groups_that_have_the_names_of_ours_keep_them() {
        let buckets = axis_of("2026-02-01T00:00:00Z", 1);
        let rows = [row(&buckets, 0, Some("other"), 2, 0), row(&buckets, 0, None, 1, 0)];
        let drawn = chart(SPLIT, &buckets, &split(&buckets, &rows), None, Meta::default());
        let ids: Vec<&str> = drawn.series.iter().map(|series| series.id.as_str()).collect();
        assert_eq!(ids, ["other", "_other"]);
    }

    #[test]
    fn the_earlier_period_has_the_same_series_and_the_same_length() {
        let (march, february) = (axis_of("2026-03-01T00:00:00Z", 31), axis_of("2026-02-01T00:00:00Z", 28));
        let rows = [row(&march, 0, Some("a"), 5, 0)];
        let earlier_rows = [row(&february, 27, Some("a"), 3, 0), row(&february, 0, None, 1, 0)];
        let range = Range { zone: chrono_tz::UTC, from: february.starts[0], to: february.end };
        let (lines, earlier) = (split(&march, &rows), split(&february, &earlier_rows));
        let drawn = chart(SPLIT, &march, &lines, Some((&range, &february, &earlier)), Meta::default());
        let earlier = drawn.comparison.unwrap();
        assert_eq!(drawn.series.len(), 2);
        assert_eq!(earlier.series[0].data[27..], [Some(Number::Count(3)), None, None, None]);
        assert_eq!(earlier.x_axis[0].data[28..], [None, None, None]);
        assert_eq!(earlier.series[1].data[0], Some(Number::Count(1)));
    }
}
