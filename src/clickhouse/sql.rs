//! SQL text that is known to be safe, and the values that go beside it.
//!
//! This is a security boundary. Text becomes [`Sql`] in four ways only: as a constant of the
//! program, as an identifier that was checked, as a placeholder made here, and as a template whose
//! prints are all `Sql`. Values never become text; they travel as server-side parameters.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::native::Type;
use crate::query::dataset::{FieldName, Kind};
use crate::query::filters::{Condition, Operand, Operator, Predicate};

/// A piece of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql(Cow<'static, str>);

impl Sql {
    /// A constant of the program.
    pub const fn constant(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// A name that was made by the program, quoted.
    pub fn identifier(name: &str) -> Self {
        Self(Cow::Owned(format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))))
    }

    /// Several names behind each other: a database and its table, a column and a path into it.
    pub fn dotted(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| Self::identifier(name).to_string()).collect();
        Self(Cow::Owned(names.join(".")))
    }

    /// Columns, separated by commas.
    pub fn list(columns: &[&str]) -> Self {
        Self::composed(columns.iter().map(|column| Self::identifier(column).to_string()).collect::<Vec<_>>().join(", "))
    }

    /// A column of texts in which NULL counts as the empty text.
    pub fn text_or_empty(column: &str) -> Self {
        Self::composed(format!("ifNull({}, '')", Self::identifier(column)))
    }

    /// `ORDER BY` of columns, each with whether the largest comes first. NULLs come last either way.
    pub fn order_by(columns: &[(&str, bool)]) -> Self {
        let direction = |descending: &bool| if *descending { "DESC" } else { "ASC" };
        let columns = columns
            .iter()
            .map(|(column, descending)| format!("{} {} NULLS LAST", Self::identifier(column), direction(descending)));
        Self::composed(columns.collect::<Vec<_>>().join(", "))
    }

    /// Columns with their types, as a table is made of them.
    pub fn columns(columns: impl Iterator<Item = (&'static str, Type)>) -> Self {
        let columns = columns.map(|(name, of)| format!("{} {of}", Self::identifier(name)));
        Self::composed(columns.collect::<Vec<_>>().join(",\n    "))
    }

    /// A text of the program or its settings, quoted.
    pub fn text(text: &str) -> Self {
        Self::composed(format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")))
    }

    /// A whole number.
    pub fn whole(number: u32) -> Self {
        Self::composed(number.to_string())
    }

    /// Pieces behind each other.
    pub fn words(pieces: &[Self]) -> Self {
        let pieces: Vec<&str> = pieces.iter().map(Self::as_str).collect();
        Self::composed(pieces.join(" "))
    }

    /// `Function('text', …)`; without arguments, `Function`.
    pub fn call(function: &str, texts: &[&str]) -> Self {
        assert!(function.chars().all(|c| c.is_ascii_alphanumeric()), "{function} is not a function");
        let texts: Vec<String> = texts.iter().map(|text| Self::text(text).to_string()).collect();
        Self::composed(if texts.is_empty() { function.to_owned() } else { format!("{function}({})", texts.join(", ")) })
    }

    /// The engine over the tables of a cluster, given as its name, database and table; rows go to shards by a hash of
    /// the column.
    pub fn distributed(of: [&str; 3], column: Option<&str>) -> Self {
        let of = of.map(|text| Self::text(text).to_string()).join(", ");
        let key = column.map_or(String::new(), |column| format!(", cityHash64({})", Self::identifier(column)));
        Self::composed(format!("Distributed({of}{key})"))
    }

    /// The clause that keeps rows for a number of days.
    pub fn ttl(column: &str, days: u32) -> Self {
        Self::composed(format!("TTL toDateTime({}) + toIntervalDay({days})", Self::identifier(column)))
    }

    /// `column >= from AND column < to`.
    pub fn within(column: &Self, from: &Self, to: &Self) -> Self {
        Self::composed(format!("{column} >= {from} AND {column} < {to}"))
    }

    /// What is at a path of a JSON column, as text, whatever it holds; or NULL.
    pub fn text_at(json: &str, keys: &[String]) -> Self {
        let names: Vec<&str> = std::iter::once(json).chain(keys.iter().map(String::as_str)).collect();
        Self::composed(format!("CAST({}, 'Nullable(String)')", Self::dotted(&names)))
    }

    /// The number at a path of a JSON column; NULL where there is none.
    pub fn number_at(json: &str, keys: &[String]) -> Self {
        let number = format!("toFloat64OrNull({})", Self::text_at(json, keys));
        Self::composed(format!("if(isFinite({number}), {number}, NULL)"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Text put together from other pieces, or rendered from a template that prints only such.
    pub(super) fn composed(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl fmt::Display for Sql {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A value for a `{name:Type}` placeholder.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    Text(String),
    Texts(Vec<String>),
    Number(f64),
    Numbers(Vec<f64>),
    Whole(u64),
    Signed(i64),
    Wholes(Vec<u32>),
    /// `YYYY-MM-DD hh:mm:ss.ffffff`, as `DateTime64(6, 'UTC')` reads it.
    Time(#[serde(serialize_with = "time_text")] DateTime<Utc>),
    Times(#[serde(serialize_with = "time_texts")] Vec<DateTime<Utc>>),
    /// A whole second, `YYYY-MM-DD hh:mm:ss`, as `DateTime('UTC')` reads it.
    Second(#[serde(serialize_with = "second_text")] DateTime<Utc>),
}

fn time_text<S: serde::Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&shown(time))
}

fn time_texts<S: serde::Serializer>(times: &[DateTime<Utc>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(times.iter().map(shown))
}

fn second_text<S: serde::Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.format("%Y-%m-%d %H:%M:%S"))
}

fn shown(time: &DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// Collects the values of a statement under names of their own.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Values(Vec<(String, Value)>);

impl Values {
    /// Adds a value under a name that the template writes.
    pub fn set(&mut self, name: &str, value: Value) {
        self.0.push((name.to_owned(), value));
    }

    /// Adds texts under names that begin with `name`, in pieces, and returns what puts them together again: a server
    /// takes no value that is longer than 128 KiB.
    pub fn pieces(&mut self, name: &str, texts: &[String]) -> Sql {
        const PIECE_BYTES: usize = 96 << 10;
        // Quotes, comma, and what is escaped in UTF-8's ASCII.
        let length = |text: &String| 4 + text.len() + text.chars().filter(|c| "'\\\t\n\r".contains(*c)).count();
        let mut pieces: Vec<Vec<String>> = vec![Vec::new()];
        let mut bytes = 0;
        for text in texts {
            bytes += length(text);
            if bytes > PIECE_BYTES {
                bytes = length(text);
                pieces.push(Vec::new());
            }
            pieces.last_mut().expect("there is one").push(text.clone());
        }
        let placeholders: Vec<String> =
            (0..pieces.len()).map(|number| format!("{{{name}{number}:Array(String)}}")).collect();
        for (number, piece) in pieces.into_iter().enumerate() {
            self.set(&format!("{name}{number}"), Value::Texts(piece));
        }
        Sql::composed(if placeholders.len() == 1 {
            placeholders.concat()
        } else {
            format!("arrayConcat({})", placeholders.join(", "))
        })
    }

    /// Adds a value and returns its placeholder.
    fn placeholder(&mut self, value: Value) -> String {
        let name = format!("v{}", self.0.len());
        let kind = match &value {
            Value::Text(_) => "String",
            Value::Texts(_) => "Array(String)",
            Value::Number(_) => "Float64",
            Value::Numbers(_) => "Array(Float64)",
            Value::Whole(_) => "UInt64",
            Value::Signed(_) => "Int64",
            Value::Wholes(_) => "Array(UInt32)",
            Value::Time(_) => "DateTime64(6, 'UTC')",
            Value::Times(_) => "Array(DateTime64(6, 'UTC'))",
            Value::Second(_) => "DateTime('UTC')",
        };
        let placeholder = format!("{{{name}:{kind}}}");
        self.0.push((name, value));
        placeholder
    }

    /// What the values are, and not which: `{name}: texts(3)`.
    pub fn shapes(&self) -> String {
        let shape = |(name, value): &(String, Value)| match value {
            Value::Text(_) => format!("{name}: text"),
            Value::Texts(texts) => format!("{name}: texts({})", texts.len()),
            Value::Number(_) | Value::Whole(_) | Value::Signed(_) => format!("{name}: number"),
            Value::Numbers(numbers) => format!("{name}: numbers({})", numbers.len()),
            Value::Wholes(numbers) => format!("{name}: numbers({})", numbers.len()),
            Value::Time(_) | Value::Second(_) => format!("{name}: time"),
            Value::Times(times) => format!("{name}: times({})", times.len()),
        };
        self.0.iter().map(shape).collect::<Vec<_>>().join(", ")
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// `column` is one of these texts.
    pub fn one_of(&mut self, column: &Sql, texts: Vec<String>) -> Sql {
        Sql::composed(format!("{column} IN {}", self.placeholder(Value::Texts(texts))))
    }

    /// The placeholder of an instant.
    pub fn time(&mut self, instant: DateTime<Utc>) -> Sql {
        Sql::composed(self.placeholder(Value::Time(instant)))
    }

    /// The placeholder of a whole second. The engine compares a column of whole seconds with nothing finer without
    /// converting every row.
    pub fn second(&mut self, instant: DateTime<Utc>) -> Sql {
        Sql::composed(self.placeholder(Value::Second(instant)))
    }

    /// A filter: one of its predicates holds.
    pub fn condition(&mut self, condition: &Condition, json: Option<&'static str>) -> Sql {
        let any_of: Vec<String> = condition.any_of.iter().map(|predicate| self.predicate(predicate, json)).collect();
        Sql::composed(if any_of.len() == 1 { any_of.concat() } else { format!("({})", any_of.join(" OR ")) })
    }

    fn predicate(&mut self, predicate: &Predicate, json: Option<&'static str>) -> String {
        let column = match &predicate.field {
            FieldName::Column(name) => (*name).to_owned(),
            // Whatever a path holds is compared as text.
            FieldName::Path(keys) => {
                Sql::text_at(json.expect("a dataset with paths has a JSON column"), keys).to_string()
            }
        };
        let operator = predicate.operator;
        let operand = match (&predicate.operand, operator) {
            (Operand::None, _) => String::new(),
            (Operand::Texts(texts), Operator::In | Operator::NotIn) => self.placeholder(Value::Texts(texts.clone())),
            (Operand::Texts(texts), _) => self.placeholder(Value::Text(texts[0].clone())),
            (Operand::Numbers(numbers), Operator::In | Operator::NotIn) => {
                self.placeholder(Value::Numbers(numbers.clone()))
            }
            (Operand::Numbers(numbers), _) => self.placeholder(Value::Number(numbers[0])),
            (Operand::Times(times), Operator::In | Operator::NotIn) => self.placeholder(Value::Times(times.clone())),
            (Operand::Times(times), _) => self.placeholder(Value::Time(times[0])),
        };
        let ordered = match (&predicate.field, &predicate.operand) {
            (FieldName::Path(_), Operand::Numbers(_)) => format!("toFloat64OrNull({column})"),
            _ => column.clone(),
        };
        // Some tables have an empty text where there is none.
        let given = match (&predicate.field, predicate.kind) {
            (FieldName::Column(_), Kind::Text) => format!("nullIf({column}, '')"),
            _ => column.clone(),
        };
        let holds = match operator {
            Operator::Eq => format!("{column} = {operand}"),
            Operator::Ne => format!("{column} != {operand}"),
            Operator::In => format!("{column} IN {operand}"),
            Operator::NotIn => format!("{column} NOT IN {operand}"),
            Operator::Contains => format!("position({column}, {operand}) > 0"),
            Operator::NotContains => format!("position({column}, {operand}) = 0"),
            Operator::StartsWith => format!("startsWith({column}, {operand})"),
            Operator::Gt => format!("{ordered} > {operand}"),
            Operator::Gte => format!("{ordered} >= {operand}"),
            Operator::Lt => format!("{ordered} < {operand}"),
            Operator::Lte => format!("{ordered} <= {operand}"),
            Operator::IsNull => format!("{given} IS NULL"),
            Operator::IsNotNull => format!("{given} IS NOT NULL"),
        };
        if operator.is_negative() { format!("({holds} OR {column} IS NULL)") } else { holds }
    }
}

/// Joins conditions that must all hold; none at all hold always.
pub fn all_of(conditions: &[Sql]) -> Sql {
    let conditions: Vec<&str> = conditions.iter().map(Sql::as_str).collect();
    Sql::composed(if conditions.is_empty() { "true".to_owned() } else { conditions.join("\n    AND ") })
}

/// Joins conditions of which one must hold.
pub fn any_of(conditions: &[Sql]) -> Sql {
    let conditions: Vec<String> = conditions.iter().map(|condition| format!("({condition})")).collect();
    Sql::composed(if conditions.is_empty() { "false".to_owned() } else { format!("({})", conditions.join(" OR ")) })
}
