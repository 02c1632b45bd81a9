//! Files of rows: NDJSON, CSV and Parquet, each as documents with their numbers.
//!
//! A file is read as a stream, whatever its size; what cannot be read of it is a row with a reason, and the rest
//! goes on. A row without an id gets one that is made of where and what it is, so that the same file read again
//! gives the same rows.

mod bookmark;
mod csv;
mod ndjson;
mod parquet;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use bookmark::Bookmark;

use crate::ingest::{Entry, Rejection};
use crate::json::Object;
use crate::rows::Table;

/// Bytes of a line, or of a record; longer ones are refused without being kept in memory.
const LONGEST_LINE: usize = 1 << 20;
/// Rows, and bytes, that are taken in together.
const BATCH_ROWS: usize = 10_000;
const BATCH_BYTES: usize = 16 << 20;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A JSON object a line
    Ndjson,
    /// With a header: columns of the table, and `data.*`
    Csv,
    Parquet,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{file} cannot be read: {error}")]
    Io { file: String, error: io::Error },
    #[error("{file}: {reason}")]
    Unreadable { file: String, reason: String },
}

impl Format {
    /// As the name of a file says it; a compressed one's own ending does not count.
    pub fn of(file: &str) -> Option<Self> {
        let name = file.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        match Path::new(name).extension()?.to_str()? {
            "ndjson" | "jsonl" | "json" => Some(Self::Ndjson),
            "csv" | "tsv" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// A row as its file has it.
struct Raw {
    /// Line or row, from 1.
    number: u64,
    document: Result<Object<'static>, Rejection>,
    bytes: usize,
}

/// The rows of a file, in batches.
pub struct Rows {
    rows: Box<dyn Iterator<Item = io::Result<Raw>> + Send>,
    file: String,
    table: Table,
    /// Tells files apart in the ids that are made: a digest of the first row.
    origin: Option<[u8; 32]>,
}

impl Rows {
    /// Opens a file, `-` = standard input. The bar is moved by the bytes that are read.
    pub fn open(file: &str, format: Format, table: Table, bar: &ProgressBar) -> Result<Self, ImportError> {
        let failed = |error| ImportError::Io { file: file.to_owned(), error };
        let unreadable = |reason: String| ImportError::Unreadable { file: file.to_owned(), reason };
        let rows: Box<dyn Iterator<Item = io::Result<Raw>> + Send> = match (format, file) {
            (Format::Parquet, "-") => {
                return Err(unreadable(
                    "Parquet is read from its end, so it cannot come from standard input".to_owned(),
                ));
            }
            (Format::Parquet, _) => {
                let opened = File::open(file).map_err(failed)?;
                Box::new(parquet::rows(opened, bar.clone()).map_err(unreadable)?)
            }
            (Format::Ndjson, _) => Box::new(ndjson::rows(text(file, bar).map_err(failed)?)),
            (Format::Csv, _) => Box::new(csv::rows(text(file, bar).map_err(failed)?, table).map_err(unreadable)?),
        };
        Ok(Self { rows, file: file.to_owned(), table, origin: None })
    }

    /// The next rows; none at the end of the file.
    pub fn next_batch(&mut self) -> Result<Vec<Entry>, ImportError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            let Some(row) = self.rows.next() else { break };
            let row = row.map_err(|error| ImportError::Io { file: self.file.clone(), error })?;
            bytes += row.bytes;
            let Raw { number, document, .. } = row;
            batch.push(Entry { number, document: document.map(|document| self.identified(number, document)) });
        }
        Ok(batch)
    }

    /// A row with an id.
    fn identified(&mut self, number: u64, mut document: Object<'static>) -> Object<'static> {
        let has_id = |name| document.get(name).is_some_and(|id| !id.is_null() && id.as_str() != Some(""));
        if self.table == Table::Spans || (has_id("event_id") || has_id("eventId")) && self.origin.is_some() {
            return document;
        }
        let text = document.to_string();
        let origin = *self.origin.get_or_insert_with(|| Sha256::digest(&text).into());
        if !has_id("event_id") && !has_id("eventId") {
            let digest = Sha256::new().chain_update(origin).chain_update(number.to_be_bytes()).chain_update(&text);
            let digest: [u8; 32] = digest.finalize().into();
            let id: [u8; 16] = digest[..16].try_into().expect("half of it");
            document.insert("event_id", Uuid::new_v8(id).to_string());
        }
        document
    }
}

/// The text of a file, which may be compressed.
fn text(file: &str, bar: &ProgressBar) -> io::Result<Box<dyn BufRead + Send>> {
    let raw: Box<dyn Read + Send> = match file {
        "-" => Box::new(io::stdin()),
        file => Box::new(File::open(file)?),
    };
    let mut raw = BufReader::with_capacity(1 << 18, bar.wrap_read(raw));
    Ok(match raw.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(raw))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(BufReader::new(zstd::Decoder::with_buffer(raw)?)),
        _ => Box::new(raw),
    })
}
