//! The base service: what every chart, table and total does between question and answer.
//!
//! Resolve (dates, comparison, time axis) → ask → shape. Domains say which template, which measure
//! and which notes; the rest is here, once.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use clickhouse::{RowOwned, RowRead};
use minijinja::value::Value as Variable;

use crate::answer::{self, Chart, Grid, GroupedRow, Meta, Outline};
use crate::auth::Reader;
use crate::clickhouse::{Sql, Value, Values};
use crate::query::dataset::{Dataset, FieldName};
use crate::query::filters::Condition;
use crate::query::{Aggregation, Buckets, Comparison, DateRange, Earlier, Problem, Range, Source};
use crate::repository::{Answered, Ask, AskError, Repository};

/// Answers questions of any domain.
pub struct Service {
    repository: Arc<Repository>,
    retention_days: u32,
    rank_from: u64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("{}", .0.detail)]
    Problem(Problem),
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl From<Problem> for AnswerError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// What all questions have.
#[derive(Clone, Copy)]
pub struct Common<'a> {
    pub template: &'static str,
    pub dataset: &'static Dataset,
    pub date_range: &'a DateRange,
    pub comparison: Option<&'a Comparison>,
    pub conditions: &'a [Condition],
    /// Fields that the question itself reads, besides those of its filters.
    pub fields: &'a [&'static str],
    /// What the numbers mean, in sentences.
    pub notes: &'a [&'static str],
}

/// What a chart has besides.
pub struct ChartOf<'a> {
    pub aggregation: Aggregation,
    pub outline: Outline,
    pub split: Option<SplitBy>,
    pub variables: &'a [(&'static str, Variable)],
}

/// The groups that a chart tells apart.
#[derive(Clone, Copy)]
pub struct SplitBy {
    /// A column of the facts.
    pub column: &'static str,
    /// How many groups; the rest is one more.
    pub top: u64,
}

/// The values of a chart, and the answer that they come from.
struct Grouped {
    grid: Grid,
    answered: Answered<GroupedRow>,
}

/// From so many rows on, groups are ranked by the engine, so that they do not have to be sent here.
const RANK_FROM: u64 = 20_000;

/// An answer of the engine for the range, and for the earlier period where one is asked for.
pub struct Compared<R> {
    pub range: Range,
    pub current: Answered<R>,
    pub earlier: Option<(Earlier, Answered<R>)>,
}

impl Service {
    pub fn new(repository: Arc<Repository>, retention_days: u32) -> Self {
        Self { repository, retention_days, rank_from: RANK_FROM }
    }

    /// The same, with groups ranked by the engine from so many rows on; from 0, always.
    pub fn ranking_from(self, rows: u64) -> Self {
        Self { rank_from: rows, ..self }
    }

    /// Answers with a chart over time.
    pub async fn chart(&self, reader: &Reader, common: Common<'_>, chart: ChartOf<'_>) -> Result<Chart, AnswerError> {
        let now = Utc::now();
        let range = common.date_range.resolve(now)?;
        let buckets = chart.aggregation.buckets(&range)?;
        let earlier = common.comparison.and_then(|comparison| comparison.earlier(&range, now));

        let current = self.grouped(reader, &common, &chart, &range, &buckets, None).await?;
        let earlier = match earlier {
            None => None,
            Some(earlier) => {
                let earlier_buckets = Aggregation(buckets.level).buckets(&earlier.range)?;
                let window = Range { to: earlier.until, ..earlier.range };
                let kept = current.grid.names();
                let grouped = self.grouped(reader, &common, &chart, &window, &earlier_buckets, Some(kept)).await?;
                Some((window, earlier_buckets, grouped))
            }
        };

        let mut meta = self.meta(reader, &common, &range, now, &current.answered).await?;
        meta.partial = Some(buckets.partial(&range, now));
        if let Some((_, _, grouped)) = &earlier {
            add_cost(&mut meta, &grouped.answered);
        }
        let earlier = earlier.as_ref().map(|(range, buckets, grouped)| (range, buckets, &grouped.grid));
        Ok(answer::chart(&chart.outline, &buckets, &current.grid, earlier, meta))
    }

    /// The values of a chart, by bucket and group, with no more groups than are told apart.
    async fn grouped(
        &self,
        reader: &Reader,
        common: &Common<'_>,
        chart: &ChartOf<'_>,
        range: &Range,
        buckets: &Buckets,
        kept: Option<HashSet<String>>,
    ) -> Result<Grouped, AnswerError> {
        let ask = |is_ranked: bool| {
            let group = match chart.split {
                Some(split) => Sql::text_or_empty(split.column),
                None => Sql::constant("''"),
            };
            let mut variables = chart.variables.to_vec();
            variables.push(("group", group.into()));
            variables.push(("is_ranked", Variable::from(is_ranked)));
            variables.push(("has_kept", Variable::from(kept.is_some())));
            variables.push(("size", Sql::constant(chart.outline.measure.size()).into()));
            let mut values = Values::default();
            values.set("most_rows", Value::Whole(if is_ranked { u64::MAX } else { self.rank_from }));
            match (chart.split, &kept) {
                (Some(_), Some(kept)) if is_ranked => values
                    .set("kept", Value::Texts(kept.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect())),
                (Some(split), None) if is_ranked => values.set("top", Value::Whole(split.top)),
                _ => {}
            }
            let split_by = chart.split.map(|split| split.column);
            let part = kept.is_some().then_some("earlier");
            common.ask(range, Some(buckets), split_by, values, variables, part)
        };
        // Few groups are ranked here, which costs the engine nothing; very many are ranked there.
        let mut answered = self.repository.ask::<GroupedRow>(reader, ask(false)).await?;
        if chart.split.is_some() && answered.rows.rows.len() as u64 >= self.rank_from {
            answered = self.repository.ask::<GroupedRow>(reader, ask(true)).await?;
        }
        let grid = Grid::new(buckets, &answered.rows.rows);
        let grid = match (chart.split, &kept) {
            (Some(_), Some(kept)) => grid.keep(kept),
            (Some(split), None) => grid.keep_largest(split.top, chart.outline.measure),
            (None, _) => grid,
        };
        Ok(Grouped { grid, answered })
    }

    /// Asks a question without a time axis, for the range and for the earlier period.
    pub async fn compared<R>(
        &self,
        reader: &Reader,
        common: Common<'_>,
        values: Values,
        variables: Vec<(&'static str, Variable)>,
    ) -> Result<Compared<R>, AnswerError>
    where
        R: RowOwned + RowRead + Send + Sync + 'static,
    {
        let now = Utc::now();
        let range = common.date_range.resolve(now)?;
        let earlier = common.comparison.and_then(|comparison| comparison.earlier(&range, now));
        let ask = common.ask(&range, None, None, values.clone(), variables.clone(), None);
        let current = self.repository.ask(reader, ask).await?;
        let earlier = match earlier {
            None => None,
            Some(earlier) => {
                let window = Range { to: earlier.until, ..earlier.range };
                let ask = common.ask(&window, None, None, values, variables, Some("earlier"));
                Some((earlier, self.repository.ask(reader, ask).await?))
            }
        };
        Ok(Compared { range, current, earlier })
    }

    /// What a compared answer says about itself.
    pub async fn meta_of<R>(
        &self,
        reader: &Reader,
        common: Common<'_>,
        compared: &Compared<R>,
    ) -> Result<Meta, AnswerError> {
        let mut meta = self.meta(reader, &common, &compared.range, Utc::now(), &compared.current).await?;
        if let Some((_, answered)) = &compared.earlier {
            add_cost(&mut meta, answered);
        }
        Ok(meta)
    }

    async fn meta<R>(
        &self,
        reader: &Reader,
        common: &Common<'_>,
        range: &Range,
        now: DateTime<Utc>,
        answered: &Answered<R>,
    ) -> Result<Meta, AnswerError> {
        let mut meta = Meta::of_range(range);
        answered.source.name().clone_into(&mut meta.source);
        meta.notes = common.notes.iter().map(|note| (*note).to_owned()).collect();
        if self.is_beyond_retention(range, now, &answered.source) {
            meta.notes
                .push(format!("Raw rows are kept for {} days: what is older is not counted.", self.retention_days));
        }
        add_cost(&mut meta, answered);
        let newest = self.repository.fresh_as_of(reader, common.dataset).await.map_err(AskError::from)?;
        meta.set_fresh_as_of(newest);
        Ok(meta)
    }

    fn is_beyond_retention(&self, range: &Range, now: DateTime<Utc>, source: &Source) -> bool {
        let reads_raw_first = match source {
            Source::Raw => true,
            Source::Rollup { from, .. } => *from > range.from,
        };
        self.retention_days > 0 && reads_raw_first && range.from < now - Duration::days(self.retention_days.into())
    }
}

impl<'a> Common<'a> {
    fn ask(
        &self,
        range: &'a Range,
        buckets: Option<&'a Buckets>,
        split_by: Option<&'static str>,
        values: Values,
        variables: Vec<(&'static str, Variable)>,
        part: Option<&'static str>,
    ) -> Ask<'a> {
        Ask {
            template: self.template,
            dataset: self.dataset,
            range,
            conditions: self.conditions,
            buckets,
            fields: self.fields.iter().copied().chain(split_by).map(FieldName::Column).collect(),
            values,
            variables,
            part,
        }
    }
}

fn add_cost<R>(meta: &mut Meta, answered: &Answered<R>) {
    meta.add_cost(answered.rows.rows_read, answered.rows.elapsed, &answered.rows.query_id);
}
