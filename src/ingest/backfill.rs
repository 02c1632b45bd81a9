//! Backfill: rows of files go the way of all rows. What a table has already is not inserted again, however long
//! ago it came.

use chrono::TimeDelta;

use super::anonymise::Personal;
use super::endpoints::Ingestion;
use super::event::LARGEST_EVENT;
use super::intake::IntakeError;
use super::rejection::Rejection;
use super::stored::{self, LARGEST_SPAN};
use crate::clickhouse::{ClickHouse, QueryError};
use crate::config::Account;
use crate::json::Object;
use crate::rows::{Row, Table};

/// Takes in rows of files for one table.
pub struct Backfill {
    pub ingestion: Ingestion,
    pub clickhouse: ClickHouse,
    pub account: Account,
    pub table: Table,
}

/// A row of a file, or why it cannot be read.
pub struct Entry {
    /// Line or row, from 1.
    pub number: u64,
    pub document: Result<Object<'static>, Rejection>,
}

/// What became of rows.
#[derive(Debug, Default)]
pub struct Imported {
    pub accepted: u64,
    pub duplicates: u64,
    /// By line or row.
    pub rejected: Vec<(u64, Rejection)>,
}

#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error("the table cannot be read: {0}")]
    Table(#[from] QueryError),
}

impl Backfill {
    /// Takes in rows. When this returns `Ok`, those that were accepted are on disk.
    pub async fn take(&self, entries: Vec<Entry>) -> Result<Imported, BackfillError> {
        let reading = self.ingestion.reading(&self.account)?;
        let prices = &self.ingestion.prices;
        match self.table {
            Table::Events => self.take_rows(entries, LARGEST_EVENT, |row| stored::event(row, reading)).await,
            Table::Spans => self.take_rows(entries, LARGEST_SPAN, |row| stored::span(row, reading, prices)).await,
            Table::ProductEvents => {
                self.take_rows(entries, LARGEST_EVENT, |row| stored::product_event(row, reading)).await
            }
        }
    }

    async fn take_rows<R: Row<'static> + Personal>(
        &self,
        entries: Vec<Entry>,
        largest: usize,
        read: impl Fn(Object<'static>) -> Result<R, Rejection>,
    ) -> Result<Imported, BackfillError> {
        let mut imported = Imported::default();
        let mut rows = Vec::with_capacity(entries.len());
        for Entry { number, document } in entries {
            match document.and_then(|document| small_enough(document, largest)).and_then(&read) {
                Ok(row) => rows.push(row),
                Err(rejection) => {
                    self.ingestion.intake.note_rejected(&self.account, R::TABLE, rejection.code, 1);
                    imported.rejected.push((number, rejection));
                }
            }
        }
        let read = rows.len();
        self.drop_known(&mut rows).await?;
        imported.duplicates = (read - rows.len()) as u64;
        let mut submission = self.ingestion.intake.submission(&self.account)?;
        for row in rows {
            submission.add(row, 0).await?;
        }
        let taken = submission.commit_patiently().await?;
        imported.accepted = taken.accepted;
        imported.duplicates += taken.duplicates;
        Ok(imported)
    }

    /// Drops the rows that the table has.
    async fn drop_known<R: Row<'static>>(&self, rows: &mut Vec<R>) -> Result<(), QueryError> {
        let times = rows.iter().map(Row::time);
        let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return Ok(()) };
        let ids: Vec<String> = rows.iter().map(id_text).collect();
        let times = first..last + TimeDelta::microseconds(1);
        let stored = R::TABLE.stored_ids(&self.clickhouse, &self.account, &ids, times).await?;
        if !stored.is_empty() {
            let mut ids = ids.iter();
            rows.retain(|_| ids.next().is_some_and(|id| !stored.contains(id)));
        }
        Ok(())
    }
}

fn id_text<'a, R: Row<'a>>(row: &R) -> String {
    let mut id = Vec::with_capacity(R::TABLE.id_bytes());
    row.put_id(&mut id);
    R::TABLE.id_text(&id)
}

fn small_enough(document: Object<'static>, largest: usize) -> Result<Object<'static>, Rejection> {
    if document.to_string().len() <= largest {
        return Ok(document);
    }
    Err(Rejection::new("row_too_large", "", format!("the row has more than {} KiB", largest >> 10)))
}
