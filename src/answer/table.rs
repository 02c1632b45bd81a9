//! Tables: rows of a page, and how many there are in all.

use clickhouse::{RowOwned, RowRead};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::{Meta, Shape, csv};
use crate::query::{Pagination, Sortable};

/// A row of a table that the engine answers with as it is. See [`table_row!`].
pub trait TableRow: Sortable + Serialize + Send + Sync + 'static {
    /// The row, and how many there are in all.
    type Counted: RowOwned + RowRead + DeserializeOwned + Send + Sync + 'static;

    /// What the engine answers with: the columns that rows can be sorted by, then the others.
    const SELECTED: &'static [&'static str];

    fn row(counted: &Self::Counted) -> Self;
    fn total(counted: &Self::Counted) -> u64;
}

/// Declares the rows of a table: what a reader sees is what the engine answers with, column by column, and what
/// the table can be sorted by. Columns that have no order of their own, such as lists, come `beside` those.
macro_rules! table_row {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }
        $(beside { $($(#[$more_meta:meta])* $more:ident: $more_type:ty,)* })?
        sorted by $default:literal, told apart by $($key:literal),+
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
        $visibility struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            $($($(#[$more_meta])* pub $more: $more_type,)*)?
        }

        impl $crate::query::Sortable for $name {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];
            const DEFAULT: &'static str = $default;
            const KEY: &'static [&'static str] = &[$($key),+];
        }

        const _: () = {
            #[derive(clickhouse::Row, serde::Deserialize)]
            pub struct Counted { $($field: $type,)* $($($more: $more_type,)*)? total: u64 }

            impl $crate::answer::TableRow for $name {
                type Counted = Counted;

                const SELECTED: &'static [&'static str] =
                    &[$(stringify!($field),)* $($(stringify!($more),)*)?];

                fn row(counted: &Counted) -> Self {
                    Self { $($field: counted.$field.clone(),)* $($($more: counted.$more.clone(),)*)? }
                }

                fn total(counted: &Counted) -> u64 {
                    counted.total
                }
            }
        };
    };
}
pub(crate) use table_row;

/// A page of rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Table<R> {
    pub items: Vec<R>,
    pub page: Page,
    pub meta: Meta,
}

/// Which page it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page {
    /// Rows that were skipped.
    pub offset: u64,
    /// Rows that were asked for.
    pub limit: u64,
    /// Rows that there are.
    pub total: u64,
}

impl Page {
    pub fn new(pagination: Pagination, total: u64) -> Self {
        Self { offset: pagination.offset, limit: pagination.limit, total }
    }
}

impl<R: Serialize + Send + Sync + 'static> Shape for Table<R> {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        csv_of(&self.items)
    }
}

/// A part of a list that is read on and on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listing<R> {
    pub items: Vec<R>,
    pub page: ListingPage,
    pub meta: Meta,
}

/// How to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListingPage {
    /// Rows that were asked for.
    #[schema(example = 50)]
    pub limit: u64,
    /// For the parameter `cursor`; null when there is nothing more.
    #[schema(example = "MTc2OTk0NzIwMDAwMDAwMC4wMGYwNjdhYTBiYTkwMmI3")]
    pub next_cursor: Option<String>,
}

impl<R: Serialize + Send + Sync + 'static> Shape for Listing<R> {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        csv_of(&self.items)
    }
}

/// Rows as CSV: a column for each field; lists and objects are written as JSON.
pub fn csv_of(items: &[impl Serialize]) -> String {
    let rows: Vec<serde_json::Value> =
        items.iter().map(|item| serde_json::to_value(item).expect("rows serialise")).collect();
    let header: Vec<String> = match rows.first() {
        Some(serde_json::Value::Object(row)) => row.keys().cloned().collect(),
        _ => Vec::new(),
    };
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let cells = |row: &serde_json::Value| header.iter().map(|name| text(&row[name])).collect::<Vec<_>>();
    csv::write(&header, rows.iter().map(cells))
}
