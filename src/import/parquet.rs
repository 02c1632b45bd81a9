//! Parquet: rows as documents. Times keep their microseconds, decimals all of their digits.

use std::collections::HashMap;
use std::fs::File;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use indicatif::ProgressBar;
use parquet::basic::{LogicalType, TimeUnit, Type as Physical};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use parquet::schema::types::Type as Schema;
use uuid::Uuid;

use super::Raw;
use crate::json::{Json, Object};

/// Columns whose values do not say what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hint {
    Uuid,
    /// Nanoseconds since 1970.
    Nanos,
}

/// The rows of a file, or why it has none.
pub fn rows(file: File, bar: ProgressBar) -> Result<impl Iterator<Item = io::Result<Raw>> + Send, String> {
    let size = file.metadata().map_err(|error| error.to_string())?.len();
    let reader = SerializedFileReader::new(file).map_err(|error| format!("it is not a Parquet file: {error}"))?;
    let metadata = reader.metadata().file_metadata();
    let total = u64::try_from(metadata.num_rows()).unwrap_or(0).max(1);
    let hints = hints(metadata.schema())?;
    let rows = RowIter::from_file_into(Box::new(reader));
    let mut moved = 0;
    Ok((1..).zip(rows).map(move |(number, row)| {
        let row = row.map_err(io::Error::other)?;
        // The share of the rows is the share of the bytes.
        let position = u64::try_from(u128::from(size) * u128::from(number) / u128::from(total)).unwrap_or(size);
        bar.inc(position - moved);
        moved = position;
        let document = object(row, &hints);
        let bytes = document.len() * 64;
        Ok(Raw { number, document: Ok(document), bytes })
    }))
}

fn hints(schema: &Schema) -> Result<HashMap<String, Hint>, String> {
    let mut hints = HashMap::new();
    for column in schema.get_fields().iter().filter(|column| column.is_primitive()) {
        let name = column.name().to_owned();
        if column.get_physical_type() == Physical::INT96 {
            return Err(format!("the column `{name}` is of the old type INT96: write TIMESTAMP(MICROS)"));
        }
        match column.get_basic_info().logical_type_ref() {
            Some(LogicalType::Uuid) => drop(hints.insert(name, Hint::Uuid)),
            Some(LogicalType::Timestamp(timestamp)) if timestamp.unit == TimeUnit::NANOS => {
                hints.insert(name, Hint::Nanos);
            }
            _ => {}
        }
    }
    Ok(hints)
}

fn object(row: Row, hints: &HashMap<String, Hint>) -> Object<'static> {
    let fields = row.into_columns().into_iter().map(|(name, field)| {
        let value = match (hints.get(&name), field) {
            (Some(Hint::Uuid), Field::Bytes(bytes)) => match Uuid::from_slice(bytes.data()) {
                Ok(id) => id.to_string().into(),
                Err(_) => Json::Null,
            },
            (Some(Hint::Nanos), Field::Long(nanos)) => moment(Some(DateTime::from_timestamp_nanos(nanos))),
            (_, field) => json(field),
        };
        (name.into(), value)
    });
    fields.collect()
}

fn json(field: Field) -> Json<'static> {
    match field {
        Field::Null => Json::Null,
        Field::Bool(truth) => truth.into(),
        Field::Byte(number) => i64::from(number).into(),
        Field::Short(number) => i64::from(number).into(),
        Field::Int(number) => number.into(),
        Field::Long(number) => number.into(),
        Field::UByte(number) => u32::from(number).into(),
        Field::UShort(number) => u32::from(number).into(),
        Field::UInt(number) => number.into(),
        Field::ULong(number) => number.into(),
        Field::Float16(number) => f64::from(f32::from(number)).into(),
        Field::Float(number) => f64::from(number).into(),
        Field::Double(number) => number.into(),
        Field::Str(text) => text.into(),
        // Texts that the file does not call texts.
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => text.to_owned().into(),
            Err(_) => STANDARD.encode(bytes.data()).into(),
        },
        decimal @ Field::Decimal(_) => decimal.to_string().into(),
        Field::Date(days) => match DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::days(days.into())) {
            Some(day) => day.format("%F").to_string().into(),
            None => Json::Null,
        },
        Field::TimeMillis(millis) => millis.into(),
        Field::TimeMicros(micros) => micros.into(),
        Field::TimestampMillis(millis) => moment(DateTime::from_timestamp_millis(millis)),
        Field::TimestampMicros(micros) => moment(DateTime::from_timestamp_micros(micros)),
        Field::Group(row) => object(row, &HashMap::new()).into(),
        Field::ListInternal(list) => list.elements().iter().cloned().map(json).collect::<Vec<_>>().into(),
        Field::MapInternal(map) => {
            let fields = map.entries().iter().map(|(key, value)| {
                let name = match key {
                    Field::Str(name) => name.clone(),
                    other => other.to_string(),
                };
                (name.into(), json(value.clone()))
            });
            fields.collect::<Object<'_>>().into()
        }
    }
}

fn moment(moment: Option<DateTime<Utc>>) -> Json<'static> {
    moment.map_or(Json::Null, |moment| moment.to_rfc3339_opts(SecondsFormat::Micros, true).into())
}
