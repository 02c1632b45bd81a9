//! What was accepted is stored by the engine, as it is.

use std::collections::{BTreeMap, BTreeSet};

use chartwell::clickhouse::ClickHouse;
use chartwell::clickhouse::native::JsonForm;
use chartwell::migrations::Target;
use chartwell::rows::{Month, Rows, Table};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::databases::migrate;
use crate::support::{Via, clickhouse, target};

/// Rows that are inserted together.
const TOGETHER: usize = 500;

/// Stores rows in the tables of an account, in both forms, and compares each of them with what is stored then.
pub fn check(account: &str, accepted: Vec<Rows>) {
    let mut encoded: BTreeMap<(Table, Month), BTreeSet<Vec<u8>>> = BTreeMap::new();
    for rows in accepted {
        encoded.entry((rows.table, rows.month)).or_default().extend(rows.iter().map(<[u8]>::to_vec));
    }
    assert!(!encoded.is_empty(), "nothing was accepted");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clickhouse = clickhouse(Via::Pipe).await;
        // Inputs may be of any year.
        migrate(&clickhouse, Target { retention_days: 0, ..target(account) }).await;
        let keep = format!("ALTER TABLE {account}_analytics.product_telemetry_events REMOVE TTL");
        clickhouse.execute(&keep).await.unwrap();
        for form in [JsonForm::Columns, JsonForm::Text] {
            for ((table, _), rows) in &encoded {
                let name = format!("{account}_analytics.{}", table.name());
                for together in rows.iter().collect::<Vec<_>>().chunks(TOGETHER) {
                    check_some(&clickhouse, &name, *table, form, together).await;
                }
            }
        }
    });
}

async fn check_some(clickhouse: &ClickHouse, name: &str, table: Table, form: JsonForm, encoded: &[&Vec<u8>]) {
    // Its time of acceptance says which row is which.
    let accepted_at = |index: usize| DateTime::from_timestamp_micros(1_770_000_000_000_000 + index as i64).unwrap();
    let rows: Vec<Rows> =
        encoded.iter().enumerate().map(|(index, row)| table.row(row, accepted_at(index)).unwrap()).collect();
    insert(clickhouse, name, table, form, &rows).await;
    let columns =
        table.column_names().replace("`model_temperature`", "toFloat64(model_temperature) AS model_temperature");
    let sql = format!(
        "SELECT formatRowNoNewline('JSONEachRow', {columns}) FROM {name} ORDER BY ingested_at \
         SETTINGS output_format_json_quote_decimals = 1, output_format_decimal_trailing_zeros = 1"
    );
    let stored: Vec<String> = clickhouse.fetch(&sql).await.unwrap();
    assert_eq!(stored.len(), rows.len());
    for (index, (stored, row)) in stored.iter().zip(encoded).enumerate() {
        let document = document(table, row, accepted_at(index));
        let [stored, sent] = [stored, &document].map(|text| plain(&serde_json::from_str(text).unwrap()));
        let is_same = match form {
            JsonForm::Columns => stored == sent,
            JsonForm::Text => loosely(&stored) == loosely(&sent),
        };
        assert!(is_same || is_ambiguous(&sent), "{form:?}\n{stored}\n{sent}");
    }
    clickhouse.execute(&format!("TRUNCATE TABLE {name}")).await.unwrap();
}

/// Inserts rows; when they are refused, says which one it is.
async fn insert(clickhouse: &ClickHouse, name: &str, table: Table, form: JsonForm, rows: &[Rows]) {
    let token = uuid::Uuid::new_v4().to_string();
    let stored = async |rows: &[Rows]| {
        let block = table.block(rows, form).map_err(|error| error.to_string())?;
        clickhouse.insert_block(name, &table.column_names(), block, &token).await.map_err(|error| error.message)
    };
    let Err(error) = stored(rows).await else { return };
    for row in rows {
        if let Err(error) = stored(std::slice::from_ref(row)).await {
            panic!("{form:?} {error}: {}", document(table, row.iter().next().unwrap(), row.accepted_at()));
        }
    }
    panic!("together they are refused, and none of them is alone: {error}");
}

fn document(table: Table, row: &[u8], accepted_at: DateTime<Utc>) -> String {
    table.document(row, accepted_at).unwrap().to_string()
}

/// A value as a JSON column has it: paths, and no nulls in objects; a number is the same with and without a point.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut paths = Map::new();
            put_paths(fields, None, &mut paths);
            paths.into()
        }
        // The engine may keep an empty list for a null among lists.
        Value::Array(items) => {
            items.iter().map(|item| if item.is_null() { Value::Array(Vec::new()) } else { plain(item) }).collect()
        }
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        other => other.clone(),
    }
}

/// A value as the engine has it where it has read JSON as text: a null among objects may be an empty one.
fn loosely(value: &Value) -> Value {
    let is_empty = |item: &Value| item.as_object().is_some_and(Map::is_empty);
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), loosely(value))).collect(),
        Value::Array(items) => {
            items.iter().map(|item| if is_empty(item) { Value::Array(Vec::new()) } else { loosely(item) }).collect()
        }
        other => other.clone(),
    }
}

/// Whether there is a value at a path and another one within it: as JSON the engine shows both under one name.
fn is_ambiguous(value: &Value) -> bool {
    match value {
        Value::Object(paths) => {
            let is_within = |path: &str| {
                paths.keys().any(|outer| path.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.')))
            };
            paths.iter().any(|(path, value)| is_within(path) || is_ambiguous(value))
        }
        Value::Array(items) => items.iter().any(is_ambiguous),
        _ => false,
    }
}

/// Where a path is there twice, its first value counts.
fn put_paths(fields: &Map<String, Value>, outer: Option<&str>, paths: &mut Map<String, Value>) {
    for (name, value) in fields {
        let path = outer.map_or_else(|| name.clone(), |outer| format!("{outer}.{name}"));
        match value {
            Value::Null => {}
            Value::Object(fields) => put_paths(fields, Some(&path), paths),
            value => drop(paths.entry(path).or_insert_with(|| plain(value))),
        }
    }
}
