//! Tables: a page of rows, and how many there are.

use chrono::Utc;
use minijinja::value::Value as Variable;

use super::{AnswerError, Common, Service};
use crate::answer::{Page, Table, TableRow};
use crate::auth::Reader;
use crate::clickhouse::{Sql, Value, Values};
use crate::query::dataset::Dataset;
use crate::query::{Buckets, Paging, Range};

/// Facts of another dataset that a table joins with its own, in the same window and under the same filters.
#[derive(Clone, Copy)]
pub struct Joined {
    /// The name under which the template prints them.
    pub name: &'static str,
    pub dataset: &'static Dataset,
    /// Fields that the question itself reads of them.
    pub fields: &'static [&'static str],
}

/// What a table reads besides.
#[derive(Clone, Copy)]
pub struct TableOf<'a> {
    /// The range that it is about.
    pub about: &'a Range,
    /// What is read may begin before that; the template then has to tell both apart.
    pub read: &'a Range,
    pub joined: &'a [Joined],
}

impl Service {
    /// Answers with a page of a table. Its template extends `shared/table.sql`.
    pub async fn table<T: TableRow>(
        &self,
        reader: &Reader,
        common: Common<'_>,
        paging: &Paging<T>,
        values: Values,
        variables: Vec<(&'static str, Variable)>,
    ) -> Result<Table<T>, AnswerError> {
        let range = common.date_range.resolve(Utc::now())?;
        let of = TableOf { about: &range, read: &range, joined: &[] };
        self.table_of(reader, common, of, paging, values, variables).await
    }

    /// Answers with a page of a table, about a range that is known already.
    pub async fn table_of<T: TableRow>(
        &self,
        reader: &Reader,
        common: Common<'_>,
        of: TableOf<'_>,
        paging: &Paging<T>,
        values: Values,
        variables: Vec<(&'static str, Variable)>,
    ) -> Result<Table<T>, AnswerError> {
        let (pagination, buckets) = (paging.pagination, Buckets::whole(of.read));
        let page = |offset: u64, limit: u64| {
            let (mut values, mut variables) = (values.clone(), variables.clone());
            values.set("limit", Value::Whole(limit));
            values.set("offset", Value::Whole(offset));
            variables.push(("row_columns", Sql::list(T::SELECTED).into()));
            variables.push(("order_by", Sql::order_by(&paging.sorting.by).into()));
            let ask = common.ask(of.read, &buckets, None, of.joined, values, variables);
            self.repository.ask::<T::Counted>(reader, ask)
        };
        let answered = page(pagination.offset, pagination.limit).await?;
        let meta = self.meta_within(reader, common, of.about, &answered).await?;
        let rows = &answered.rows.rows;
        let total = match rows.first() {
            Some(row) => T::total(row),
            // Behind the last row nothing tells how many there are.
            None if pagination.offset > 0 => page(0, 1).await?.rows.rows.first().map_or(0, T::total),
            None => 0,
        };
        Ok(Table { items: rows.iter().map(T::row).collect(), page: Page::new(pagination, total), meta })
    }
}
