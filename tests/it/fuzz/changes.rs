//! Valid inputs, changed here and there: random bytes would not get past the first check.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

/// Bytes, shown as Rust writes them.
#[derive(Clone)]
pub struct Input(pub Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "b\"{}\"", self.0.escape_ascii())
    }
}

/// A change of an input.
#[derive(Debug, Clone)]
enum Change {
    /// Of its bytes.
    Xor(Index, u8),
    Remove(Index, u8),
    Insert(Index, Vec<u8>),
    Repeat(Index, u8),
    /// Of a value within a JSON document: another one takes its place, or is added beside it.
    Replace(Index, Value),
    Add(Index, String, Value),
}

/// Texts that mean something to one of the readers, or that are hard to read.
const WORDS: [&str; 26] = [
    "",
    "a.b",
    ".",
    "\0",
    "💶",
    "\u{202e}",
    "ｊａｎｅ＠example.org",
    "jane@example.org",
    "%6aane%40example.org",
    "\\u0040",
    "&#64;",
    "+31612345678",
    "4111 1111 1111 1111",
    "https://x.example/p?q=1",
    "2026-02-01",
    "2026-02-01T10:00:00.123456789+14:00",
    "9999-12-31T23:59:60Z",
    "NaN",
    "-0",
    "events",
    "suggestions",
    "data",
    "user_id",
    "message",
    "gen_ai.usage.input_tokens",
    "llm.token_count.prompt",
];

fn any_word() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&WORDS[..]).prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_value() -> impl Strategy<Value = Value> {
    let numbers =
        [0, 1, -1, i64::from(u32::MAX) + 1, i64::MAX, i64::MIN, 4_111_111_111_111_111, 1_770_000_000_000_000_000];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        select(numbers.to_vec()).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any_word().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((any_word(), inner), 0..5).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => (any::<Index>(), 1_u8..).prop_map(|(at, mask)| Change::Xor(at, mask)),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => (any::<Index>(), vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (any::<Index>(), any_word()).prop_map(|(at, word)| Change::Insert(at, word.into_bytes())),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, count)| Change::Repeat(at, count)),
        4 => (any::<Index>(), any_value()).prop_map(|(at, value)| Change::Replace(at, value)),
        4 => (any::<Index>(), any_word(), any_value()).prop_map(|(at, name, value)| Change::Add(at, name, value)),
    ]
}

/// One of the seeds with a few changes, or none.
pub fn changed(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Input> {
    // Of JSON a change of bytes mostly makes something that is none, so there are fewer of those first.
    (select(seeds), vec(any_change(), 0..8))
        .prop_map(|(seed, changes)| Input(changes.iter().fold(seed, |input, change| change.made(input))))
}

impl Change {
    fn made(&self, mut input: Vec<u8>) -> Vec<u8> {
        let end = input.len();
        match self {
            Self::Xor(at, mask) if end > 0 => input[at.index(end)] ^= mask,
            Self::Remove(at, count) if end > 0 => {
                let at = at.index(end);
                input.drain(at..end.min(at + usize::from(*count)));
            }
            Self::Insert(at, bytes) => {
                let at = at.index(end + 1);
                input.splice(at..at, bytes.iter().copied());
            }
            Self::Repeat(at, count) if end > 0 => {
                let at = at.index(end);
                let part = input[at..end.min(at + usize::from(*count))].to_vec();
                input.splice(at..at, part);
            }
            Self::Replace(at, value) => return with_document(input, at, |place| *place = value.clone()),
            Self::Add(at, name, value) => {
                return with_document(input, at, |place| match place {
                    Value::Object(fields) => drop(fields.insert(name.clone(), value.clone())),
                    Value::Array(items) => items.push(value.clone()),
                    place => *place = value.clone(),
                });
            }
            Self::Xor(..) | Self::Remove(..) | Self::Repeat(..) => {}
        }
        input
    }
}

/// Changes one of the values of a JSON document; anything else stays as it is.
fn with_document(input: Vec<u8>, at: &Index, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let Ok(mut document) = serde_json::from_slice::<Value>(&input) else { return input };
    let mut place = at.index(count(&document));
    if let Some(found) = nth(&mut document, &mut place) {
        change(found);
    }
    document.to_string().into_bytes()
}

/// How many values there are in a value, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

fn nth<'v>(value: &'v mut Value, place: &mut usize) -> Option<&'v mut Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, place)),
        Value::Object(fields) => fields.values_mut().find_map(|field| nth(field, place)),
        _ => None,
    }
}
