//! Tables: rows of a page, and how many there are in all.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Meta, Shape, csv};
use crate::query::Pagination;

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

    /// A column for each field of a row; lists are written as JSON.
    fn csv(&self) -> String {
        let rows: Vec<serde_json::Value> =
            self.items.iter().map(|item| serde_json::to_value(item).expect("rows serialise")).collect();
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
}
