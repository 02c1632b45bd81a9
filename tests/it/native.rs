//! Blocks in the format `Native`: what the engine reads is what was written, JSON of any shape included.

use bytes::Bytes;
use chartwell::clickhouse::Failure;
use chartwell::clickhouse::native::{Block, Cells, ColumnOf, JsonForm, TooWide, Type};
use chartwell::json::{Json, Object};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::support::{BOTH_WAYS, Via, clickhouse};

const COLUMNS: &[ColumnOf] = &[
    ("number", Type::UInt32),
    (
        "data",
        Type::Json(&[
            ("flag", Type::Nullable(&Type::Bool)),
            ("size", Type::Nullable(&Type::UInt32)),
            ("word", Type::Nullable(&Type::Word)),
        ]),
    ),
    ("parts", Type::List(&Type::Json(&[]))),
];

#[derive(clickhouse::Row, serde::Deserialize)]
struct StoredRow {
    data: String,
    parts: Vec<String>,
}

/// Objects whose typed paths have their types, and whose other paths have any.
fn any_object() -> impl Strategy<Value = Object<'static>> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(Json::Int),
        ((i64::MAX as u64 + 1)..).prop_map(Json::UInt),
        (-1e15..1e15).prop_map(Json::Float),
        "[a-z 0-9:\\-\"é💶]{0,12}".prop_map(Json::from),
        Just("2026-02-01".into()),
        Just("2026-02-01T10:00:00Z".into()),
    ];
    let value = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::List),
            prop::collection::vec(("[k-n]{1,2}", inner), 0..4).prop_map(|fields| Json::Object(object(fields))),
        ]
    });
    let typed = (any::<Option<bool>>(), any::<Option<u32>>(), prop::option::of("[a-c]{0,2}"));
    (typed, prop::collection::vec(("[k-n]{1,2}", value), 0..5)).prop_map(|((flag, size, word), others)| {
        let mut object = object(others);
        object.insert("flag", flag.map_or(Json::Null, Json::from));
        object.insert("size", size.map_or(Json::Null, Json::from));
        object.insert("word", word.map_or(Json::Null, Json::from));
        object
    })
}

fn object(fields: Vec<(String, Json<'static>)>) -> Object<'static> {
    fields.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// What is left of a value in a JSON column: objects without nulls and without what is empty.
fn kept(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| (name, kept(value)))
                .filter(|(_, value)| !value.is_null() && value.as_object().is_none_or(|fields| !fields.is_empty()))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(kept).collect()),
        // A number is the same number with and without a point.
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap();
            if float.fract() == 0.0 { Value::from(float as i64) } else { number.into() }
        }
        other => other,
    }
}

fn as_value(text: &str) -> Value {
    kept(serde_json::from_str(text).unwrap())
}

fn block(objects: &[Object<'_>], form: JsonForm) -> Result<Vec<Bytes>, TooWide> {
    let mut block = Block::new(COLUMNS, form);
    for (number, object) in objects.iter().enumerate() {
        block.row(|cells| {
            cells.optional_u32(Some(number as u32));
            cells.object(object);
            cells.objects(objects.iter().take(2));
        });
    }
    block.finish()
}

async fn create(clickhouse: &chartwell::clickhouse::ClickHouse, table: &str) {
    let types: Vec<String> = COLUMNS.iter().map(|(name, of)| format!("{name} {of}")).collect();
    let create =
        format!("CREATE OR REPLACE TABLE default.{table} ({}) ENGINE = MergeTree ORDER BY number", types.join(", "));
    clickhouse.execute(&create).await.unwrap();
}

#[test]
fn json_of_any_shape_is_read_as_it_was_written_in_both_forms() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clickhouse = runtime.block_on(clickhouse(Via::Pipe));
    let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&prop::collection::vec(any_object(), 1..8), |objects| {
        runtime.block_on(async {
            create(&clickhouse, "native_any").await;
            let block = block(&objects, JsonForm::Columns).unwrap();
            clickhouse.insert_block("default.native_any", &Block::names(COLUMNS), block, "one").await.unwrap();
            let rows: Vec<StoredRow> = clickhouse
                .fetch("SELECT toString(data) AS data, arrayMap(part -> toString(part), parts) AS parts FROM default.native_any ORDER BY number")
                .await
                .unwrap();
            let wanted: Vec<Value> = objects.iter().map(|object| as_value(&object.to_string())).collect();
            let stored: Vec<Value> = rows.iter().map(|row| as_value(&row.data)).collect();
            prop_assert_eq!(&stored, &wanted);
            for row in &rows {
                let parts: Vec<Value> = row.parts.iter().map(|part| as_value(part)).collect();
                prop_assert_eq!(&parts[..], &wanted[..wanted.len().min(2)]);
            }
            Ok(())
        })
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn a_value_has_its_own_type() {
    let clickhouse = clickhouse(Via::Pipe).await;
    create(&clickhouse, "native_types").await;
    let text = r#"{"size": 7, "word": "w", "flag": true, "b": false, "i": -1, "u": 18446744073709551615, "f": 1.0, "t": "2026-02-01",
        "none": [], "is": [1, null], "fs": [0.5], "ts": ["a", "2026-02-01"], "bs": [true], "mixed": [1, "a", [2]], "flags": [true, 0.5], "words": ["a", true, 7], "objects": [{"x": 1}, {"x": "y"}], "a.b": 1, "a": {"b": "second"}, "": {"i": "not i"}}"#;
    let Json::Object(object) = chartwell::json::read(text).unwrap() else { panic!("an object") };
    for (form, token) in [(JsonForm::Columns, "one"), (JsonForm::Text, "two")] {
        let block = block(std::slice::from_ref(&object), form).unwrap();
        clickhouse.insert_block("default.native_types", &Block::names(COLUMNS), block, token).await.unwrap();
    }
    let types: Vec<String> =
        clickhouse.fetch("SELECT toString(JSONAllPathsWithTypes(data)) FROM default.native_types").await.unwrap();
    insta::assert_snapshot!(types[0].replace(
        "','", "',
'"
    ));
    assert_eq!(types[0], types[1], "as columns, and as text");
}

#[tokio::test]
async fn rows_with_very_many_paths_are_sent_as_text() {
    let clickhouse = clickhouse(Via::Pipe).await;
    create(&clickhouse, "native_wide").await;
    let wide: Vec<Object<'_>> = (0..50)
        .map(|row| (0..60).map(|path| (format!("p{}", row * 60 + path).into(), Json::Int(row))).collect())
        .collect();
    assert_eq!(block(&wide, JsonForm::Columns), Err(TooWide));
    let text = block(&wide, JsonForm::Text).unwrap();
    clickhouse.insert_block("default.native_wide", &Block::names(COLUMNS), text, "one").await.unwrap();
    let sum: Vec<u64> =
        clickhouse.fetch("SELECT toUInt64(sum(length(JSONAllPaths(data)))) FROM default.native_wide").await.unwrap();
    assert_eq!(sum, [3_000 + 50 * 3], "with the typed ones");
    // Few paths, but lists of very many objects that each have others.
    let lists: Object<'_> = (0..40)
        .map(|list| {
            let items =
                (0..1_000).map(|item| Json::Object(Object::from_iter([(format!("k{item}").into(), Json::Int(1))])));
            (format!("list{list}").into(), Json::List(items.collect()))
        })
        .collect();
    assert_eq!(block(&[lists], JsonForm::Columns), Err(TooWide));
}

#[tokio::test]
async fn a_block_of_many_pieces_arrives_whole_or_tells_why_it_is_refused() {
    let objects: Vec<Object<'_>> = (0..300)
        .map(|row| Object::from([("word", Json::Text(format!("{row}{}", "x".repeat(10_000)).into()))]))
        .collect();
    let sent = || block(&objects, JsonForm::Columns).unwrap();
    assert!(sent().len() > 2 && sent().iter().map(Bytes::len).sum::<usize>() > 4 << 20);
    for via in BOTH_WAYS {
        let clickhouse = clickhouse(via).await;
        create(&clickhouse, "native_pieces").await;
        clickhouse.insert_block("default.native_pieces", &Block::names(COLUMNS), sent(), "one").await.unwrap();
        let lengths: Vec<u64> = clickhouse
            .fetch("SELECT toUInt64(sum(length(ifNull(data.word, '')))) FROM default.native_pieces")
            .await
            .unwrap();
        assert_eq!(lengths, [300 * 10_000 + 10 + 2 * 90 + 3 * 200]);
        let checked = "ALTER TABLE default.native_pieces ADD CONSTRAINT few CHECK number < 10";
        clickhouse.execute(checked).await.unwrap();
        let refused =
            clickhouse.insert_block("default.native_pieces", &Block::names(COLUMNS), sent(), "two").await.unwrap_err();
        assert!(refused.message.contains("few"), "{refused}");
        let missing = clickhouse.insert_block("default.nowhere", &Block::names(COLUMNS), sent(), "one").await;
        assert_eq!(missing.unwrap_err().failure, Failure::Unavailable);
        let unknown = clickhouse.insert_block("default.native_pieces", "`number`, `nobody`", sent(), "three").await;
        assert!(unknown.unwrap_err().message.contains("nobody"));
        let rows: Vec<u64> = clickhouse.fetch("SELECT count() FROM default.native_pieces").await.unwrap();
        assert_eq!(rows, [300]);
    }
}
