//! Rows as they are stored: what ingestion makes of what it is sent, and what the writer inserts.
//!
//! On the way between them, in the spool, rows are bytes: each one encoded by itself, those of one table
//! and month together ([`Rows`]).

mod counters;
mod event;
mod product_event;
mod span;
mod stored;

use std::ops::Range;

use bytes::Bytes;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clickhouse::native::{Block, Cells, ColumnOf, Document, JsonForm, TooWide};
use crate::config::Account;
use crate::json::Object;

pub use counters::{Count, Counters};
pub use event::{Event, Suggestion, TYPED_PATHS};
pub use product_event::{PAYLOAD_PATHS, ProductEvent};
pub use span::{Span, SpanColumns, VoiceColumns, hex};

/// A table that rows are taken in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Table {
    Events,
    Spans,
    ProductEvents,
}

/// A row of a table.
pub trait Row<'a>: Serialize + Deserialize<'a> {
    const TABLE: Table;
    const COLUMNS: &'static [ColumnOf];

    /// Adds its id: what makes it the same row when it is sent again.
    fn put_id(&self, into: &mut Vec<u8>);

    /// What says which part of the table it belongs to.
    fn time(&self) -> DateTime<Utc>;

    /// Gives its values in the order of the columns.
    fn write(&self, accepted_at: DateTime<Utc>, cells: &mut impl Cells);
}

impl Table {
    pub const ALL: [Self; 3] = [Self::Events, Self::Spans, Self::ProductEvents];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Spans => "assistants_tracing_spans",
            Self::ProductEvents => "product_telemetry_events",
        }
    }

    /// Its number in the index of known ids; it never changes.
    pub const fn code(self) -> u8 {
        match self {
            Self::Events => 1,
            Self::Spans => 2,
            Self::ProductEvents => 3,
        }
    }

    /// Bytes of an id.
    pub const fn id_bytes(self) -> usize {
        match self {
            Self::Events | Self::ProductEvents => 16,
            Self::Spans => 24,
        }
    }

    pub const fn columns(self) -> &'static [ColumnOf] {
        match self {
            Self::Events => Event::COLUMNS,
            Self::Spans => Span::COLUMNS,
            Self::ProductEvents => ProductEvent::COLUMNS,
        }
    }

    /// The names of its columns, as a statement lists them.
    pub fn column_names(self) -> String {
        Block::names(self.columns())
    }

    /// The block of these rows.
    pub fn block(self, rows: &[Rows], form: JsonForm) -> Result<Vec<Bytes>, BlockError> {
        match self {
            Self::Events => block::<Event<'_>>(rows, form),
            Self::Spans => block::<Span<'_>>(rows, form),
            Self::ProductEvents => block::<ProductEvent<'_>>(rows, form),
        }
    }

    /// An encoded row by itself.
    pub fn row(self, row: &[u8], accepted_at: DateTime<Utc>) -> postcard::Result<Rows> {
        match self {
            Self::Events => single::<Event<'_>>(row, accepted_at),
            Self::Spans => single::<Span<'_>>(row, accepted_at),
            Self::ProductEvents => single::<ProductEvent<'_>>(row, accepted_at),
        }
    }

    /// The columns of its id.
    pub const fn id_columns(self) -> &'static [&'static str] {
        match self {
            Self::Events | Self::ProductEvents => &["event_id"],
            Self::Spans => &["trace_id", "span_id"],
        }
    }

    /// The topic of an account's rows, with Kafka.
    pub fn topic(self, account: &Account) -> String {
        let rows = match self {
            Self::Events => "events",
            Self::Spans => "spans",
            Self::ProductEvents => "product-events",
        };
        format!("{account}.{rows}")
    }

    /// The id of a row as SQL has it.
    const fn id_expression(self) -> &'static str {
        match self {
            Self::Events | Self::ProductEvents => "event_id",
            Self::Spans => "concat(trace_id, span_id)",
        }
    }

    const fn id_type(self) -> &'static str {
        match self {
            Self::Events | Self::ProductEvents => "UUID",
            Self::Spans => "String",
        }
    }

    /// The column of the time that says which part of the table a row belongs to.
    pub const fn time_column(self) -> &'static str {
        match self {
            Self::Events => "time_utc",
            Self::Spans => "start_time",
            Self::ProductEvents => "occurred_at",
        }
    }

    /// An id as SQL has it, as text.
    pub fn id_text(self, id: &[u8]) -> String {
        match self {
            Self::Events | Self::ProductEvents => Uuid::from_slice(id).map_or_else(|_| hex(id), |id| id.to_string()),
            Self::Spans => hex(id),
        }
    }

    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// An encoded row as a document.
    pub fn document(self, row: &[u8], accepted_at: DateTime<Utc>) -> postcard::Result<Object<'static>> {
        match self {
            Self::Events => document::<Event<'_>>(row, accepted_at),
            Self::Spans => document::<Span<'_>>(row, accepted_at),
            Self::ProductEvents => document::<ProductEvent<'_>>(row, accepted_at),
        }
    }
}

/// Rows of one table and month, encoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    pub table: Table,
    pub month: Month,
    /// Microseconds since 1970.
    accepted_at: i64,
    /// The ids, each as long as the table's are.
    #[serde(with = "serde_bytes")]
    ids: Vec<u8>,
    /// Where each row ends.
    ends: Vec<u32>,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

/// A month: rows of one month are inserted together, because an insert makes a part for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Month(u32);

#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    #[error("the rows have too many different paths")]
    TooWide,
    #[error("row {index} cannot be read: {error}")]
    Unreadable { index: usize, error: postcard::Error },
}

impl From<TooWide> for BlockError {
    fn from(TooWide: TooWide) -> Self {
        Self::TooWide
    }
}

impl Month {
    pub fn of(time: DateTime<Utc>) -> Self {
        Self(time.year().unsigned_abs() * 12 + time.month0())
    }

    /// The times of the month.
    pub fn times(self) -> Range<DateTime<Utc>> {
        let begin = |months: u32| {
            let day = NaiveDate::from_ymd_opt(i32::try_from(months / 12).unwrap_or(i32::MAX), months % 12 + 1, 1);
            day.map_or(DateTime::<Utc>::MAX_UTC, |day| day.and_time(NaiveTime::MIN).and_utc())
        };
        begin(self.0)..begin(self.0 + 1)
    }
}

impl Rows {
    pub fn new(table: Table, month: Month, accepted_at: DateTime<Utc>) -> Self {
        let accepted_at = accepted_at.timestamp_micros();
        Self { table, month, accepted_at, ids: Vec::new(), ends: Vec::new(), bytes: Vec::new() }
    }

    /// One row by itself.
    pub fn of<'a, R: Row<'a>>(row: &R, accepted_at: DateTime<Utc>) -> Self {
        let mut rows = Self::new(R::TABLE, Month::of(row.time()), accepted_at);
        rows.push(row);
        rows
    }

    pub fn push<'a>(&mut self, row: &impl Row<'a>) {
        row.put_id(&mut self.ids);
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes = postcard::to_extend(row, bytes).expect("memory takes what is written to it");
        self.ends.push(u32::try_from(self.bytes.len()).expect("a body is smaller"));
    }

    /// Whether its parts go together, as they do unless it was decoded from something else.
    pub fn is_whole(&self) -> bool {
        self.ids.len() == self.ends.len() * self.table.id_bytes()
            && self.ends.is_sorted()
            && self.ends.last().map_or(0, |end| *end as usize) == self.bytes.len()
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes that they need in memory.
    pub fn size_bytes(&self) -> u64 {
        (self.ids.len() + self.ends.len() * size_of::<u32>() + self.bytes.len()) as u64
    }

    pub fn accepted_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.accepted_at).unwrap_or_default()
    }

    pub fn ids(&self) -> impl Iterator<Item = &[u8]> {
        self.ids.chunks_exact(self.table.id_bytes())
    }

    /// The encoded rows.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, end)| &self.bytes[begin as usize..*end as usize])
    }

    /// Rows of one table and month as one.
    ///
    /// # Panics
    /// When there is nothing to be put together.
    pub fn together(parts: &[Self]) -> Self {
        let (first, rest) = parts.split_first().expect("there are rows");
        let mut all = first.clone();
        rest.iter().for_each(|rows| all.append(rows));
        all
    }

    /// Adds rows of the same table and month.
    pub fn append(&mut self, other: &Self) {
        debug_assert_eq!((self.table, self.month), (other.table, other.month));
        let end = self.bytes.len() as u32;
        self.ids.extend_from_slice(&other.ids);
        self.ends.extend(other.ends.iter().map(|ends| end + ends));
        self.bytes.extend_from_slice(&other.bytes);
    }

    /// Those of the rows that `keep` says yes to, by their place.
    pub fn filtered(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut kept = Self { ids: Vec::new(), ends: Vec::new(), bytes: Vec::new(), ..*self };
        for (_, (id, row)) in self.ids().zip(self.iter()).enumerate().filter(|(index, _)| keep(*index)) {
            kept.ids.extend_from_slice(id);
            kept.bytes.extend_from_slice(row);
            kept.ends.push(kept.bytes.len() as u32);
        }
        kept
    }
}

fn block<'a, R: Row<'a>>(rows: &'a [Rows], form: JsonForm) -> Result<Vec<Bytes>, BlockError> {
    let mut block = Block::new(R::COLUMNS, form);
    for rows in rows {
        let accepted_at = rows.accepted_at();
        for (index, bytes) in rows.iter().enumerate() {
            let row: R = postcard::from_bytes(bytes).map_err(|error| BlockError::Unreadable { index, error })?;
            block.row(|cells| row.write(accepted_at, cells));
        }
    }
    Ok(block.finish()?)
}

fn single<'a, R: Row<'a>>(row: &'a [u8], accepted_at: DateTime<Utc>) -> postcard::Result<Rows> {
    Ok(Rows::of(&postcard::from_bytes::<R>(row)?, accepted_at))
}

fn document<'a, R: Row<'a>>(row: &'a [u8], accepted_at: DateTime<Utc>) -> postcard::Result<Object<'static>> {
    let mut document = Document::new(R::COLUMNS);
    postcard::from_bytes::<R>(row)?.write(accepted_at, &mut document);
    Ok(document.finish())
}
