//! A column of type `JSON`, path by path, in the form that ClickHouse calls flattened.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::column::{Column, put_names};
use super::output::Output;
use super::{JsonForm, Room, Type, put_text, put_u64};
use crate::json::{Json, Object};

/// Versions of the form, as the engine numbers them.
const TEXT: u64 = 1;
const FLATTENED: u64 = 3;
/// Paths besides the typed ones, as many as the engine keeps apart.
const MOST_PATHS: usize = 1_024;

/// A column of JSON objects.
pub(super) enum JsonColumn {
    Columns(Paths),
    /// Each object as text.
    Text(Vec<u8>),
}

/// The values of each path.
pub(super) struct Paths {
    rows: usize,
    /// Typed paths with the number of their values so far.
    typed: Vec<(&'static str, Column, usize)>,
    others: HashMap<Box<str>, Dynamic, RandomState>,
}

/// Values of any type.
struct Dynamic {
    kinds: Vec<Kind>,
    /// For each row which of the kinds it has; [`NULL`] for none.
    tags: Vec<u8>,
}

const NULL: u8 = u8::MAX;

/// The values of one type.
enum Kind {
    Plain(Column),
    /// Lists whose items are of several types.
    Lists {
        ends: Vec<u64>,
        items: Dynamic,
    },
    /// Lists of objects.
    Objects {
        ends: Vec<u64>,
        items: Paths,
    },
}

impl JsonColumn {
    pub(super) fn new(paths: &'static [(&'static str, Type)], form: JsonForm) -> Self {
        match form {
            JsonForm::Columns => Self::Columns(Paths::new(paths)),
            JsonForm::Text => Self::Text(Vec::new()),
        }
    }

    pub(super) fn push(&mut self, object: &Object<'_>, room: &mut Room) {
        match self {
            Self::Columns(paths) => paths.push(object, room),
            Self::Text(texts) => put_text(texts, &object.to_string()),
        }
    }

    pub(super) fn put_prefix(&mut self, out: &mut Output) {
        match self {
            Self::Columns(paths) => paths.put_prefix(out),
            Self::Text(_) => put_u64(out, TEXT),
        }
    }

    pub(super) fn put_values(&mut self, out: &mut Output) {
        match self {
            Self::Columns(paths) => paths.put_values(out),
            Self::Text(texts) => out.extend_from_slice(texts),
        }
    }
}

impl Paths {
    fn new(paths: &[(&'static str, Type)]) -> Self {
        let typed = paths.iter().map(|(path, of)| (*path, Column::new(*of, JsonForm::Columns), 0)).collect();
        Self { rows: 0, typed, others: HashMap::default() }
    }

    fn push(&mut self, object: &Object<'_>, room: &mut Room) {
        self.rows += 1;
        self.walk(object, &mut String::new(), false, room);
    }

    /// A name may be empty, so a path does not tell by itself whether it is within another.
    fn walk(&mut self, object: &Object<'_>, path: &mut String, is_inner: bool, room: &mut Room) {
        let length = path.len();
        for (name, value) in object.iter() {
            if is_inner {
                path.push('.');
            }
            path.push_str(name);
            match value {
                Json::Null => {}
                Json::Object(inner) => self.walk(inner, path, true, room),
                value => self.value(path, value, room),
            }
            path.truncate(length);
        }
    }

    fn value(&mut self, path: &str, value: &Json<'_>, room: &mut Room) {
        let row = self.rows - 1;
        if let Ok(index) = self.typed.binary_search_by_key(&path, |(path, _, _)| path) {
            let (_, column, length) = &mut self.typed[index];
            if *length <= row {
                pad(column, length, row);
                put_typed(column, value);
                *length += 1;
            }
            return;
        }
        if !self.others.contains_key(path) {
            if self.others.len() >= MOST_PATHS {
                return room.use_up();
            }
            self.others.insert(path.into(), Dynamic::new());
        }
        let values = self.others.get_mut(path).expect("it is there");
        // Where a path is there twice, as `a.b` and as `b` within `a`, its first value counts.
        if values.tags.len() <= row && room.take(row + 1 - values.tags.len()) {
            values.tags.resize(row, NULL);
            values.push(value, room);
        }
    }

    /// The other paths, in their order.
    fn sorted(&mut self) -> Vec<(&str, &mut Dynamic)> {
        let mut sorted: Vec<(&str, &mut Dynamic)> =
            self.others.iter_mut().map(|(path, values)| (&**path, values)).collect();
        sorted.sort_unstable_by_key(|(path, _)| *path);
        sorted
    }

    fn put_prefix(&mut self, out: &mut Output) {
        put_u64(out, FLATTENED);
        let mut typed = std::mem::take(&mut self.typed);
        let sorted = self.sorted();
        put_names(out, sorted.iter().map(|(path, _)| *path));
        for (_, column, _) in &mut typed {
            column.put_prefix(out);
        }
        sorted.into_iter().for_each(|(_, values)| values.put_prefix(out));
        self.typed = typed;
    }

    fn put_values(&mut self, out: &mut Output) {
        let rows = self.rows;
        for (_, column, length) in &mut self.typed {
            pad(column, length, rows);
            column.put_values(out);
        }
        for (_, values) in self.sorted() {
            values.tags.resize(rows, NULL);
            values.put_values(out);
        }
    }
}

/// Nulls for the rows before `row` that have no value.
fn pad(column: &mut Column, length: &mut usize, row: usize) {
    (*length..row).for_each(|_| column.null());
    *length = row;
}

/// The value of a typed path. Ingestion has checked that it fits; what does not is null.
fn put_typed(column: &mut Column, value: &Json<'_>) {
    let Type::Nullable(of) = column.of() else { panic!("a typed path is nullable") };
    match (of, value) {
        (Type::Text | Type::Word, Json::Text(text)) => column.text(text),
        (Type::UInt32, Json::Int(number)) if u32::try_from(*number).is_ok() => {
            column.fixed(&(*number as u32).to_le_bytes());
        }
        (Type::Float64, Json::Float(number)) => column.fixed(&number.to_le_bytes()),
        (Type::Float64, Json::Int(number)) => column.fixed(&(*number as f64).to_le_bytes()),
        (Type::Float64, Json::UInt(number)) => column.fixed(&(*number as f64).to_le_bytes()),
        (Type::Bool, Json::Bool(truth)) => column.fixed(&[u8::from(*truth)]),
        _ => column.null(),
    }
}

/// The type that a value has by itself; `None` for lists of objects and of several types.
fn plain_type(value: &Json<'_>) -> Option<Type> {
    match value {
        Json::Bool(_) => Some(Type::Bool),
        Json::Int(_) => Some(Type::Int64),
        Json::UInt(_) => Some(Type::UInt64),
        Json::Float(_) => Some(Type::Float64),
        Json::Text(_) => Some(Type::Text),
        Json::List(items) => list_type(items),
        Json::Null | Json::Object(_) => None,
    }
}

/// The type of a list whose items, besides nulls, are all of one simple type.
fn list_type(items: &[Json<'_>]) -> Option<Type> {
    let mut of = None;
    for item in items.iter().filter(|item| !item.is_null()) {
        let item_type = match item {
            Json::Bool(_) => Type::List(&Type::Nullable(&Type::Bool)),
            Json::Int(_) => Type::List(&Type::Nullable(&Type::Int64)),
            Json::Float(_) => Type::List(&Type::Nullable(&Type::Float64)),
            Json::Text(_) => Type::List(&Type::Nullable(&Type::Text)),
            _ => return None,
        };
        if *of.get_or_insert(item_type) != item_type {
            return None;
        }
    }
    Some(of.unwrap_or(Type::List(&Type::Nullable(&Type::Text))))
}

impl Dynamic {
    fn new() -> Self {
        Self { kinds: Vec::new(), tags: Vec::new() }
    }

    fn push(&mut self, value: &Json<'_>, room: &mut Room) {
        let tag = match (plain_type(value), value) {
            (_, Json::Null) => NULL,
            (Some(of), value) => {
                let (tag, kind) = self.kind(
                    |kind| matches!(kind, Kind::Plain(column) if column.of() == of),
                    || Kind::Plain(Column::new(of, JsonForm::Columns)),
                );
                let Kind::Plain(column) = kind else { unreachable!("it was found") };
                put_plain(column, value);
                tag
            }
            (None, Json::List(list)) if list.iter().all(|item| matches!(item, Json::Object(_))) => {
                let (tag, kind) = self.kind(
                    |kind| matches!(kind, Kind::Objects { .. }),
                    || Kind::Objects { ends: Vec::new(), items: Paths::new(&[]) },
                );
                let Kind::Objects { ends, items } = kind else { unreachable!("it was found") };
                for item in list {
                    if let Json::Object(object) = item {
                        items.push(object, room);
                    }
                }
                ends.push(items.rows as u64);
                tag
            }
            (None, Json::List(list)) => {
                let (tag, kind) = self.kind(
                    |kind| matches!(kind, Kind::Lists { .. }),
                    || Kind::Lists { ends: Vec::new(), items: Self::new() },
                );
                let Kind::Lists { ends, items } = kind else { unreachable!("it was found") };
                list.iter().for_each(|item| items.push(item, room));
                ends.push(items.tags.len() as u64);
                tag
            }
            // An object among the items of a list.
            (None, object) => {
                let (tag, kind) = self.kind(
                    |kind| matches!(kind, Kind::Plain(column) if column.of() == OBJECT),
                    || Kind::Plain(Column::new(OBJECT, JsonForm::Columns)),
                );
                if let (Kind::Plain(column), Json::Object(object)) = (kind, object) {
                    column.object(object, room);
                }
                tag
            }
        };
        self.tags.push(tag);
    }

    /// The values of one type; made when there are none yet.
    fn kind(&mut self, is_it: impl Fn(&Kind) -> bool, make: impl FnOnce() -> Kind) -> (u8, &mut Kind) {
        let index = self.kinds.iter().position(is_it).unwrap_or_else(|| {
            self.kinds.push(make());
            self.kinds.len() - 1
        });
        (index as u8, &mut self.kinds[index])
    }

    fn put_prefix(&mut self, out: &mut Output) {
        put_u64(out, FLATTENED);
        let names: Vec<String> = self.kinds.iter().map(Kind::name).collect();
        put_names(out, names.iter().map(String::as_str));
        for kind in &mut self.kinds {
            match kind {
                Kind::Plain(column) => column.put_prefix(out),
                Kind::Lists { items, .. } => items.put_prefix(out),
                Kind::Objects { items, .. } => items.put_prefix(out),
            }
        }
    }

    fn put_values(&mut self, out: &mut Output) {
        // The number after the last type stands for null.
        let null = self.kinds.len() as u8;
        out.extend(self.tags.iter().map(|tag| if *tag == NULL { null } else { *tag }));
        for kind in &mut self.kinds {
            match kind {
                Kind::Plain(column) => column.put_values(out),
                Kind::Lists { ends, items } => {
                    ends.iter().for_each(|end| put_u64(out, *end));
                    items.put_values(out);
                }
                Kind::Objects { ends, items } => {
                    ends.iter().for_each(|end| put_u64(out, *end));
                    items.put_values(out);
                }
            }
        }
    }
}

/// The type of objects within lists, as the engine names it there.
const OBJECT: Type = Type::InnerJson;

impl Kind {
    fn name(&self) -> String {
        match self {
            Self::Plain(column) => column.of().to_string(),
            Self::Lists { .. } => "Array(Dynamic)".to_owned(),
            Self::Objects { .. } => format!("Array({OBJECT})"),
        }
    }
}

/// The value of a type that was chosen for it.
fn put_plain(column: &mut Column, value: &Json<'_>) {
    match value {
        Json::Bool(truth) => column.fixed(&[u8::from(*truth)]),
        Json::Int(number) => column.fixed(&number.to_le_bytes()),
        Json::UInt(number) => column.fixed(&number.to_le_bytes()),
        Json::Float(number) => column.fixed(&number.to_le_bytes()),
        Json::Text(text) => column.text(text),
        Json::List(list) => column.list(|items| {
            for item in list {
                match item {
                    Json::Null => items.null(),
                    item => put_plain(items, item),
                }
            }
            list.len() as u64
        }),
        Json::Null | Json::Object(_) => unreachable!("they have no plain type"),
    }
}
