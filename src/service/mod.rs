//! The base service: what every chart, table and total does between question and answer.
//!
//! Resolve (dates, comparison, time axis) → ask → shape. Domains say which template, which measure
//! and which notes; the rest is here, once.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use clickhouse::{RowOwned, RowRead};
use minijinja::value::Value as Variable;

use crate::answer::{
    self, Chart, Grid, GroupedRow, Lines, Meta, Outline, QUANTILE_LEVELS, QuantileLine, QuantilesRow, Shape,
};
use crate::auth::Reader;
use crate::clickhouse::{Failure, Sql, Value, Values};
use crate::config::Retention;
use crate::query::dataset::{Dataset, FieldName};
use crate::query::filters::Condition;
use crate::query::{Aggregation, Buckets, Comparison, DateRange, Earlier, Problem, Range, Source, Sources, Verify};
use crate::repository::{Answered, Ask, AskError, Facts, Repository};

mod tables;

pub use tables::{Joined, TableOf};

/// Answers questions of any domain.
pub struct Service {
    repository: Arc<Repository>,
    retention: Retention,
    rank_from: u64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("{}", .0.detail)]
    Problem(Problem),
    /// What the path names is not there.
    #[error("{0}")]
    NotFound(&'static str),
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl AnswerError {
    /// Whether the question needed more memory, rows or bytes than one may.
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::Ask(AskError::Query(error)) if error.failure == Failure::TooLarge)
    }
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
    pub sources: Sources,
    /// What the numbers mean, in sentences.
    pub notes: &'a [&'static str],
}

/// What a chart has besides.
pub struct ChartOf<'a> {
    pub aggregation: Aggregation,
    pub outline: Outline,
    pub shown: Shown,
    pub split: Option<SplitBy>,
    pub variables: &'a [(&'static str, Variable)],
}

/// What a chart shows by bucket and group.
#[derive(Clone, Copy)]
pub enum Shown {
    /// Sums, or ratios of sums; the name is that of the one line of a chart that is not split.
    Sums(&'static str),
    /// Quantiles: all of them, or this one, by its place in [`answer::QUANTILES`], when the chart is split.
    Quantiles(usize),
    /// Some quantiles of each group. The groups are known, and those that a chart is split by.
    QuantilesOf(&'static [QuantileLine]),
}

/// The groups that a chart tells apart.
#[derive(Clone, Copy)]
pub struct SplitBy {
    /// A column of the facts.
    pub column: &'static str,
    /// How many groups; the rest is one more.
    pub top: u64,
}

/// The lines of a chart, and where they come from.
struct Drawn {
    lines: Lines,
    told: Told,
}

/// From so many rows on, groups are ranked by the engine, so that they do not have to be sent here.
const RANK_FROM: u64 = 20_000;

/// An answer of the engine for the range, and for the earlier period where one is asked for.
pub struct Compared<R> {
    pub range: Range,
    pub current: Answered<R>,
    pub earlier: Option<(Earlier, Answered<R>)>,
}

impl<R> Compared<R> {
    pub fn rows(&self) -> &[R] {
        &self.current.rows.rows
    }

    /// Adds what this cost to what another answer says about itself.
    pub fn add_cost(&self, meta: &mut Meta) {
        let answered = std::iter::once(&self.current).chain(self.earlier.as_ref().map(|(_, answered)| answered));
        answered.for_each(|answered| add_cost(answered, meta));
    }

    /// The same of the rows of both.
    pub fn map<T>(&self, of: impl Fn(&[R]) -> T) -> (T, Option<T>) {
        let earlier = self.earlier.as_ref().map(|(_, answered)| of(&answered.rows.rows));
        (of(&self.current.rows.rows), earlier)
    }
}

impl Service {
    pub fn new(repository: Arc<Repository>, retention: Retention) -> Self {
        Self { repository, retention, rank_from: RANK_FROM }
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

        let current = self.drawn(reader, &common, &chart, &range, &buckets, None).await?;
        let earlier = match earlier {
            None => None,
            Some(earlier) => {
                let earlier_buckets = Aggregation(buckets.level).buckets(&earlier.range)?;
                let window = Range { to: earlier.until, ..earlier.range };
                let kept = current.lines.names();
                let drawn = self.drawn(reader, &common, &chart, &window, &earlier_buckets, Some(&kept)).await?;
                Some((window, earlier_buckets, drawn))
            }
        };

        let mut meta = self.meta(reader, (common.dataset, common.notes), &range, now, &current.told).await?;
        meta.partial = Some(buckets.partial(&range, now));
        if let Some((_, _, drawn)) = &earlier {
            drawn.told.add_cost(&mut meta);
        }
        let earlier = earlier.as_ref().map(|(range, buckets, drawn)| (range, buckets, &drawn.lines));
        Ok(answer::chart(chart.outline, &buckets, &current.lines, earlier, meta))
    }

    /// The lines of a chart, with no more groups than are told apart.
    async fn drawn(
        &self,
        reader: &Reader,
        common: &Common<'_>,
        chart: &ChartOf<'_>,
        range: &Range,
        buckets: &Buckets,
        kept: Option<&HashSet<String>>,
    ) -> Result<Drawn, AnswerError> {
        // Groups that are known are the same in every period.
        let kept = kept.filter(|_| !matches!(chart.shown, Shown::QuantilesOf(_)));
        let ask = |is_ranked: bool| {
            let group = chart.split.map(|split| Sql::text_or_empty(split.column));
            let mut variables = names_of_frame(group, is_ranked, kept.is_some());
            variables.extend(chart.variables.iter().cloned());
            variables.push(("size", Sql::constant(chart.outline.measure.size()).into()));
            let mut values = Values::default();
            values.set("most_rows", Value::Whole(if is_ranked { u64::MAX } else { self.rank_from }));
            match (chart.split, kept) {
                (Some(_), Some(kept)) if is_ranked => values
                    .set("kept", Value::Texts(kept.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect())),
                (Some(split), None) if is_ranked => values.set("top", Value::Whole(split.top)),
                _ => {}
            }
            let split_by = chart.split.map(|split| split.column);
            common.ask(range, buckets, split_by, &[], values, variables)
        };
        let only = match chart.shown {
            Shown::Sums(name) => chart.split.is_none().then_some(name),
            Shown::Quantiles(_) | Shown::QuantilesOf(_) => {
                // The rest is no sum of its groups, so the engine has to know them.
                let answered = self.repository.ask::<QuantilesRow>(reader, ask(chart.split.is_some())).await?;
                let rows = &answered.rows.rows;
                let lines = match (chart.shown, chart.split) {
                    (Shown::QuantilesOf(lines), _) => answer::lines_of_known_groups(buckets, rows, lines),
                    (Shown::Quantiles(index), Some(_)) => answer::lines_of_quantile(buckets, rows, index),
                    _ => answer::quantile_lines(buckets, rows),
                };
                return Ok(Drawn { lines, told: Told::of(&answered) });
            }
        };
        // Few groups are ranked here, which costs the engine nothing; very many are ranked there.
        let mut answered = self.repository.ask::<GroupedRow>(reader, ask(false)).await?;
        if chart.split.is_some() && answered.rows.rows.len() as u64 >= self.rank_from {
            answered = self.repository.ask::<GroupedRow>(reader, ask(true)).await?;
        }
        let grid = Grid::new(buckets, &answered.rows.rows);
        let grid = match (chart.split, kept) {
            (Some(_), Some(kept)) => grid.keep(kept),
            (Some(split), None) => grid.keep_largest(split.top, chart.outline.measure),
            (None, _) => grid,
        };
        Ok(Drawn { lines: grid.lines(buckets, chart.outline.measure, only), told: Told::of(&answered) })
    }

    /// Asks a question that is put together already.
    pub async fn ask<R>(&self, reader: &Reader, ask: Ask<'_>) -> Result<Answered<R>, AnswerError>
    where
        R: RowOwned + RowRead + Send + Sync + 'static,
    {
        Ok(self.repository.ask(reader, ask).await?)
    }

    /// Asks about a range that is known already.
    pub async fn within<R>(
        &self,
        reader: &Reader,
        common: Common<'_>,
        range: &Range,
        values: Values,
        variables: Vec<(&'static str, Variable)>,
    ) -> Result<Answered<R>, AnswerError>
    where
        R: RowOwned + RowRead + Send + Sync + 'static,
    {
        self.within_buckets(reader, common, range, &Buckets::whole(range), values, variables).await
    }

    /// Asks about a range that is known already, with a time axis that is known as well.
    pub async fn within_buckets<R>(
        &self,
        reader: &Reader,
        common: Common<'_>,
        range: &Range,
        buckets: &Buckets,
        values: Values,
        variables: Vec<(&'static str, Variable)>,
    ) -> Result<Answered<R>, AnswerError>
    where
        R: RowOwned + RowRead + Send + Sync + 'static,
    {
        Ok(self.repository.ask(reader, common.ask(range, buckets, None, &[], values, variables)).await?)
    }

    /// Asks a question whose time axis is one bucket, for the range and for the earlier period.
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
        let current = self.within(reader, common, &range, values.clone(), variables.clone()).await?;
        let earlier = match earlier {
            None => None,
            Some(earlier) => {
                let window = Range { to: earlier.until, ..earlier.range };
                Some((earlier, self.within(reader, common, &window, values, variables).await?))
            }
        };
        Ok(Compared { range, current, earlier })
    }

    /// Asks for the quantiles of the whole range, and of the earlier period. The template extends
    /// `shared/latencies.sql`.
    pub async fn compared_quantiles(
        &self,
        reader: &Reader,
        common: Common<'_>,
        variables: Vec<(&'static str, Variable)>,
    ) -> Result<Compared<QuantilesRow>, AnswerError> {
        let mut values = Values::default();
        values.set("most_rows", Value::Whole(1));
        let variables = [names_of_frame(None, false, false), variables].concat();
        self.compared(reader, common, values, variables).await
    }

    /// What an answer about a range that is known already says about itself.
    pub async fn meta_within<R>(
        &self,
        reader: &Reader,
        common: Common<'_>,
        range: &Range,
        answered: &Answered<R>,
    ) -> Result<Meta, AnswerError> {
        self.meta_about(reader, common.dataset, common.notes, range, answered).await
    }

    /// What an answer about rows of a dataset says about itself.
    pub async fn meta_about<R>(
        &self,
        reader: &Reader,
        dataset: &'static Dataset,
        notes: &[&'static str],
        range: &Range,
        answered: &Answered<R>,
    ) -> Result<Meta, AnswerError> {
        self.meta(reader, (dataset, notes), range, Utc::now(), &Told::of(answered)).await
    }

    /// What a compared answer says about itself.
    pub async fn meta_of<R>(
        &self,
        reader: &Reader,
        common: Common<'_>,
        compared: &Compared<R>,
    ) -> Result<Meta, AnswerError> {
        let told = Told::of(&compared.current);
        let mut meta = self.meta(reader, (common.dataset, common.notes), &compared.range, Utc::now(), &told).await?;
        if let Some((_, answered)) = &compared.earlier {
            Told::of(answered).add_cost(&mut meta);
        }
        Ok(meta)
    }

    async fn meta(
        &self,
        reader: &Reader,
        (dataset, notes): (&'static Dataset, &[&'static str]),
        range: &Range,
        now: DateTime<Utc>,
        told: &Told,
    ) -> Result<Meta, AnswerError> {
        let mut meta = Meta::of_range(range);
        told.source.name().clone_into(&mut meta.source);
        meta.notes = notes.iter().map(|note| (*note).to_owned()).collect();
        let days = self.retention.days(&reader.principal.account);
        match dataset.kept_days {
            Some(days) if range.from < now - Duration::days(days.into()) => {
                meta.notes.push(format!("These rows are kept for {days} days: what is older is not counted."));
            }
            None if is_beyond_retention(days, range, now, &told.source) => {
                meta.notes.push(format!("Raw rows are kept for {days} days: what is older is not counted."));
            }
            None if told.joined.iter().any(|source| is_beyond_retention(days, range, now, source)) => {
                meta.notes.push(format!("Raw rows are kept for {days} days: quantiles do not count what is older."));
            }
            _ => {}
        }
        told.add_cost(&mut meta);
        let newest = self.repository.fresh_as_of(reader, dataset).await.map_err(AskError::from)?;
        meta.set_fresh_as_of(newest);
        Ok(meta)
    }
}

/// Whether raw rows are read that are kept for so many days, and a part of the range is older.
fn is_beyond_retention(days: u32, range: &Range, now: DateTime<Utc>, source: &Source) -> bool {
    days > 0 && source.begins_with_rows(range) && range.from < now - Duration::days(days.into())
}

/// Adds what one of its parts cost to what an answer says about itself.
pub fn add_cost<R>(answered: &Answered<R>, meta: &mut Meta) {
    Told::of(answered).add_cost(meta);
}

/// Answers; with `verify`, once more from raw rows, to say how far both are apart.
pub async fn verified<A, F>(verify: Verify, answer: impl Fn(Sources) -> F) -> Result<A, AnswerError>
where
    A: Shape,
    F: Future<Output = Result<A, AnswerError>>,
{
    let answered = answer(Sources::Any).await?;
    if verify.0 { Ok(answer::verify(answered, answer(Sources::Raw).await?)) } else { Ok(answered) }
}

/// What the frames of charts need to know of groups.
fn names_of_frame(group: Option<Sql>, is_ranked: bool, has_kept: bool) -> Vec<(&'static str, Variable)> {
    vec![
        ("is_split", Variable::from(group.is_some())),
        ("group", group.unwrap_or(Sql::constant("''")).into()),
        ("is_ranked", Variable::from(is_ranked)),
        ("has_kept", Variable::from(has_kept)),
        ("levels", Sql::constant(QUANTILE_LEVELS).into()),
    ]
}

impl<'a> Common<'a> {
    fn ask(
        &self,
        range: &'a Range,
        buckets: &'a Buckets,
        split_by: Option<&'static str>,
        joined: &[Joined],
        values: Values,
        variables: Vec<(&'static str, Variable)>,
    ) -> Ask<'a> {
        let facts = |dataset, fields: &[&'static str]| Facts {
            dataset,
            range,
            conditions: self.conditions,
            fields: fields.iter().copied().chain(split_by).map(FieldName::Column).collect(),
            sources: self.sources,
        };
        let joined = joined.iter().map(|joined| (joined.name, facts(joined.dataset, joined.fields)));
        Ask {
            template: self.template,
            facts: facts(self.dataset, self.fields),
            joined: joined.collect(),
            buckets,
            values,
            variables,
        }
    }
}

/// What the engine told about an answer, besides its rows.
struct Told {
    source: Source,
    joined: Vec<Source>,
    rows_read: u64,
    elapsed: std::time::Duration,
    query_id: String,
}

impl Told {
    fn of<R>(answered: &Answered<R>) -> Self {
        let rows = &answered.rows;
        Self {
            source: answered.source.clone(),
            joined: answered.joined.clone(),
            rows_read: rows.rows_read,
            elapsed: rows.elapsed,
            query_id: rows.query_id.clone(),
        }
    }

    fn add_cost(&self, meta: &mut Meta) {
        meta.add_cost(self.rows_read, self.elapsed, &self.query_id);
    }
}
