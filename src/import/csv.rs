//! CSV with a header: names of columns, and `data.*` for fields of a JSON column.
//!
//! A cell of a text column is a text. Elsewhere a cell is what it reads as in JSON, when that says all of it:
//! `42` is a number, `007` and `1.10` are texts. An empty cell is no value.

use std::collections::HashSet;
use std::io::{self, BufRead, Read};

use csv::{ByteRecord, ReaderBuilder};

use super::{LONGEST_LINE, Raw};
use crate::clickhouse::native::Type;
use crate::ingest::Rejection;
use crate::json::{self, Json, Object};
use crate::rows::Table;

/// Bytes of the header.
const LONGEST_HEADER: usize = 64 << 10;
/// Other spellings of text columns.
const SPELLINGS: [&str; 6] = ["timestamp", "event_type", "name", "session_id", "user_id", "user_id_hash"];

/// A column of the file.
struct Column {
    name: String,
    /// The JSON column that it is a field of.
    within: Option<String>,
    is_text: bool,
}

/// The rows of a text, or why it has none.
pub fn rows(
    mut text: Box<dyn BufRead + Send>,
    table: Table,
) -> Result<impl Iterator<Item = io::Result<Raw>> + Send, String> {
    let mut header = Vec::new();
    text.by_ref().take(LONGEST_HEADER as u64).read_until(b'\n', &mut header).map_err(|error| error.to_string())?;
    let (columns, delimiter) = columns(&header, table)?;
    let mut reader = ReaderBuilder::new();
    reader.has_headers(false).flexible(true).delimiter(delimiter);
    // Every line has an end, the last one too.
    let mut records = Records { reader: reader.from_reader(text.chain(&b"\n"[..])) };
    Ok(std::iter::from_fn(move || {
        Some(records.next()?.map(|(number, record)| {
            let document = document(&record, &columns);
            Raw { number, document, bytes: record.as_slice().len() }
        }))
    }))
}

/// The records of a text with the lines that they begin in. The first line, the header, is read already.
struct Records<R> {
    reader: csv::Reader<R>,
}

impl<R: Read> Iterator for Records<R> {
    type Item = io::Result<(u64, ByteRecord)>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut record = ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(false) => return None,
            Ok(true) => {}
            Err(error) => return Some(Err(error.into())),
        }
        // The reader counts empty lines as a part of the record that they are before, so the end is counted from.
        let inner_lines = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        Some(Ok((self.reader.position().line() - inner_lines, record)))
    }
}

/// The columns that a header names, and the sign between them.
fn columns(header: &[u8], table: Table) -> Result<(Vec<Column>, u8), String> {
    let header = header.strip_prefix("\u{feff}".as_bytes()).unwrap_or(header);
    let count = |sign: u8| header.iter().filter(|byte| **byte == sign).count();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|sign| (count(*sign), *sign == b',')).unwrap_or(b',');
    let mut reader = ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(header);
    let names = reader.records().next().and_then(Result::ok).ok_or("the first line is no header of columns")?;
    let mut known = HashSet::new();
    let mut columns = Vec::new();
    for name in names.iter().map(str::trim) {
        if name.is_empty() {
            return Err("the header has a column without a name".to_owned());
        }
        if !known.insert(name) {
            return Err(format!("the header has the column `{name}` twice"));
        }
        columns.push(column(name, table));
    }
    Ok((columns, delimiter))
}

fn column(name: &str, table: Table) -> Column {
    let column_type = |name: &str| table.columns().iter().find(|(known, _)| *known == name).map(|(_, of)| *of);
    let within = name.split_once('.').filter(|(within, _)| matches!(column_type(within), Some(Type::Json(_))));
    if let Some((within, field)) = within {
        let is_text = match column_type(within) {
            Some(Type::Json(paths)) => paths.iter().any(|(path, of)| *path == field && is_text(*of)),
            _ => false,
        };
        return Column { name: field.to_owned(), within: Some(within.to_owned()), is_text };
    }
    let is_text = match column_type(name) {
        Some(of) => is_text(of),
        None => SPELLINGS.contains(&name),
    };
    Column { name: name.to_owned(), within: None, is_text }
}

fn is_text(of: Type) -> bool {
    match of {
        Type::Text | Type::Word | Type::Uuid | Type::Moment => true,
        Type::Nullable(of) => is_text(*of),
        _ => false,
    }
}

fn document(record: &ByteRecord, columns: &[Column]) -> Result<Object<'static>, Rejection> {
    if record.as_slice().len() > LONGEST_LINE {
        let detail = format!("the record has more than {} KiB", LONGEST_LINE >> 10);
        return Err(Rejection::new("row_too_large", "", detail));
    }
    if record.len() != columns.len() {
        let detail = format!("the record has {} cells, the header {}", record.len(), columns.len());
        return Err(Rejection::new("malformed_row", "", detail));
    }
    let mut document = Object::default();
    for (cell, column) in record.iter().zip(columns).filter(|(cell, _)| !cell.is_empty()) {
        let cell = std::str::from_utf8(cell).map_err(|_| {
            Rejection::new("malformed_row", &format!("/{}", column.name), format!("`{}` is not UTF-8", column.name))
        })?;
        let value = if column.is_text { cell.to_owned().into() } else { read(cell) };
        match &column.within {
            None => document.insert(column.name.clone(), value),
            Some(within) => {
                if document.get(within).is_none() {
                    document.insert(within.clone(), Object::default());
                }
                match document.get_mut(within) {
                    Some(Json::Object(object)) => object.insert(column.name.clone(), value),
                    _ => {
                        let detail = format!("`{within}` is a column, and `{within}.{}` is one too", column.name);
                        return Err(Rejection::new("conflicting_fields", &format!("/{within}"), detail));
                    }
                }
            }
        }
    }
    Ok(document)
}

/// What a cell reads as in JSON, unless it would lose something.
fn read(cell: &str) -> Json<'static> {
    match json::read(cell) {
        Ok(value @ (Json::List(_) | Json::Object(_))) => value.into_owned(),
        Ok(value) if !matches!(value, Json::Text(_)) && value.to_string() == cell => value.into_owned(),
        _ => cell.to_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &'static str) -> Vec<(u64, Result<String, &'static str>)> {
        let rows = rows(Box::new(text.as_bytes()), Table::Events).unwrap();
        rows.map(|row| row.unwrap())
            .map(|row| (row.number, row.document.map(|row| row.to_string()).map_err(|rejection| rejection.code)))
            .collect()
    }

    #[test]
    fn cells_are_what_their_columns_are_and_else_what_they_read_as() {
        let rows = read_all(
            "event,user_id,score,data.app,data.model,data.list\n\
             x,42,42,1.10,7,\"[1,\"\"a\"\"]\"\n\
             x,,1.5,007,,true\n\n\
             \"two\nlines\",,1e400,99999999999999999999,,\n\
             short\n\n\nlast",
        );
        let expected: [(u64, Result<String, &str>); 5] = [
            (
                2,
                Ok(r#"{"event":"x","user_id":"42","score":42,"data":{"app":"1.10","model":"7","list":[1,"a"]}}"#
                    .into()),
            ),
            (3, Ok(r#"{"event":"x","score":1.5,"data":{"app":"007","list":true}}"#.into())),
            (5, Ok(r#"{"event":"two\nlines","score":"1e400","data":{"app":"99999999999999999999"}}"#.into())),
            (7, Err("malformed_row")),
            (10, Err("malformed_row")),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn the_sign_between_cells_is_seen_in_the_header() {
        assert_eq!(read_all("event;score\na,b;1\n"), [(2, Ok(r#"{"event":"a,b","score":1}"#.to_owned()))]);
        assert_eq!(read_all("\u{feff}event\tscore\na;b\t1\n"), [(2, Ok(r#"{"event":"a;b","score":1}"#.to_owned()))]);
    }

    #[test]
    fn a_header_that_says_nothing_is_refused() {
        for bad in ["", "event,event\n", "event,,x\n"] {
            assert!(rows(Box::new(bad.as_bytes()), Table::Events).is_err(), "{bad:?}");
        }
    }
}
