//! One column: values of one type, as the format has them.

use std::collections::HashMap;
use std::mem;

use foldhash::fast::RandomState;

use super::json::JsonColumn;
use super::output::Output;
use super::{JsonForm, Room, Type, put_length, put_text, put_u64};
use crate::json::Object;

/// A column on its way.
pub(super) struct Column {
    of: Type,
    values: Values,
}

enum Values {
    /// Values one after the other, texts with their lengths; for a nullable column, which of them are null.
    Plain {
        bytes: Vec<u8>,
        nulls: Option<Vec<u8>>,
    },
    Words(Words),
    /// Where the items of each list end.
    List {
        ends: Vec<u64>,
        items: Box<Column>,
    },
    Json(Box<JsonColumn>),
}

/// Texts that repeat: each one once, and for every row which one it is.
struct Words {
    known: HashMap<Box<str>, u32, RandomState>,
    keys: Vec<u8>,
    key_count: u32,
    indexes: Vec<u32>,
}

impl Column {
    pub(super) fn new(of: Type, form: JsonForm) -> Self {
        let values = match of {
            Type::Word => Values::Words(Words::new(false)),
            Type::Nullable(Type::Word) => Values::Words(Words::new(true)),
            Type::Nullable(_) => Values::Plain { bytes: Vec::new(), nulls: Some(Vec::new()) },
            Type::List(item) => Values::List { ends: Vec::new(), items: Box::new(Self::new(*item, form)) },
            Type::Json(paths) => Values::Json(Box::new(JsonColumn::new(paths, form))),
            Type::InnerJson => Values::Json(Box::new(JsonColumn::new(&[], form))),
            _ => Values::Plain { bytes: Vec::new(), nulls: None },
        };
        Self { of, values }
    }

    pub(super) fn of(&self) -> Type {
        self.of
    }

    pub(super) fn text(&mut self, text: &str) {
        match &mut self.values {
            Values::Plain { bytes, nulls } => {
                put_text(bytes, text);
                nulls.iter_mut().for_each(|nulls| nulls.push(0));
            }
            Values::Words(words) => words.push(text),
            Values::List { .. } | Values::Json(_) => panic!("{} has no text", self.of),
        }
    }

    /// A value whose bytes are always as many.
    pub(super) fn fixed(&mut self, value: &[u8]) {
        let Values::Plain { bytes, nulls } = &mut self.values else { panic!("{} has no such value", self.of) };
        bytes.extend_from_slice(value);
        nulls.iter_mut().for_each(|nulls| nulls.push(0));
    }

    pub(super) fn null(&mut self) {
        match (&mut self.values, self.of) {
            (Values::Plain { bytes, nulls: Some(nulls) }, Type::Nullable(inner)) => {
                bytes.resize(bytes.len() + inner.size_of_null(), 0);
                nulls.push(1);
            }
            (Values::Words(words), Type::Nullable(_)) => words.indexes.push(0),
            _ => panic!("{} has no null", self.of),
        }
    }

    /// A list; `put` adds its items and says how many they are.
    pub(super) fn list(&mut self, put: impl FnOnce(&mut Self) -> u64) {
        let Values::List { ends, items } = &mut self.values else { panic!("{} is no list", self.of) };
        let before = ends.last().copied().unwrap_or(0);
        ends.push(before + put(items));
    }

    pub(super) fn object(&mut self, object: &Object<'_>, room: &mut Room) {
        let Values::Json(json) = &mut self.values else { panic!("{} is no JSON", self.of) };
        json.push(object, room);
    }

    /// What the format wants before the values: versions of forms, and the paths and types of JSON.
    pub(super) fn put_prefix(&mut self, out: &mut Output) {
        match &mut self.values {
            Values::Plain { .. } => {}
            Values::Words(_) => put_u64(out, 1),
            Values::List { items, .. } => items.put_prefix(out),
            Values::Json(json) => json.put_prefix(out),
        }
    }

    /// The values, which are then no longer here.
    pub(super) fn put_values(&mut self, out: &mut Output) {
        match &mut self.values {
            Values::Plain { bytes, nulls } => {
                nulls.iter_mut().for_each(|nulls| out.put(mem::take(nulls)));
                out.put(mem::take(bytes));
            }
            Values::Words(words) => words.put(out),
            Values::List { ends, items } => {
                ends.iter().for_each(|end| put_u64(out, *end));
                items.put_values(out);
            }
            Values::Json(json) => json.put_values(out),
        }
    }
}

impl Type {
    /// Bytes that stand where a value is null.
    fn size_of_null(self) -> usize {
        match self {
            Self::Text | Self::Bool => 1,
            Self::UInt32 | Self::Float32 => 4,
            Self::Moment | Self::Float64 | Self::Int64 | Self::UInt64 | Self::Money => 8,
            Self::Uuid => 16,
            Self::Word | Self::Nullable(_) | Self::List(_) | Self::Json(_) | Self::InnerJson => {
                panic!("{self} is not nullable")
            }
        }
    }
}

impl Words {
    fn new(is_nullable: bool) -> Self {
        let mut words = Self { known: HashMap::default(), keys: Vec::new(), key_count: 0, indexes: Vec::new() };
        // The first key stands for null, where there is one; then the empty text.
        if is_nullable {
            put_text(&mut words.keys, "");
            words.key_count = 1;
        }
        words.index_of("");
        words
    }

    fn push(&mut self, text: &str) {
        let index = self.index_of(text);
        self.indexes.push(index);
    }

    fn index_of(&mut self, text: &str) -> u32 {
        if let Some(index) = self.known.get(text) {
            return *index;
        }
        let index = self.key_count;
        self.known.insert(text.into(), index);
        put_text(&mut self.keys, text);
        self.key_count += 1;
        index
    }

    fn put(&mut self, out: &mut Output) {
        if self.indexes.is_empty() {
            return;
        }
        // The keys are here, and are all of them.
        const KEYS_ARE_HERE: u64 = 0x600;
        let (width, code) = match self.key_count {
            0..=0xff => (1, 0),
            0x100..=0xffff => (2, 1),
            _ => (4, 2),
        };
        put_u64(out, KEYS_ARE_HERE | code);
        put_u64(out, self.key_count.into());
        out.put(mem::take(&mut self.keys));
        put_u64(out, self.indexes.len() as u64);
        out.reserve(self.indexes.len() * width);
        for index in mem::take(&mut self.indexes) {
            out.extend_from_slice(&index.to_le_bytes()[..width]);
        }
    }
}

/// A list of names, of paths or of types.
pub(super) fn put_names<'n>(out: &mut Vec<u8>, names: impl ExactSizeIterator<Item = &'n str>) {
    put_length(out, names.len());
    names.for_each(|name| put_text(out, name));
}
