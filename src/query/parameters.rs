//! The query string of a request, read by the mixins and checked as a whole.
//!
//! Each mixin takes the parameters it knows and notes what is wrong with them; nothing is answered
//! before all have read, so that a request learns all its problems at once.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::Duration;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Required, Schema};

use super::problems::{Problem, Problems, nearest, shown};

/// Pairs that one query string may have.
const MOST_PAIRS: usize = 400;
/// Characters of one value.
const LONGEST_VALUE: usize = 8_192;

/// A part of a question that is read from the query string: a mixin, or one parameter.
pub trait FromParameters: Sized {
    /// How the parameters are described in the OpenAPI document.
    fn describe() -> Vec<Parameter>;

    /// The names that are known.
    fn names() -> Arc<[String]> {
        Self::describe().into_iter().map(|parameter| parameter.name).collect()
    }

    /// Reads its parameters; `None` when something is wrong with them, which is then noted.
    fn take(parameters: &mut Parameters) -> Option<Self>;
}

/// The parameters of one request.
#[derive(Debug)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
    problems: Problems,
}

impl Parameters {
    /// Reads a query string, the part of a URL behind `?`.
    pub fn parse(query: &str) -> Self {
        let mut pairs: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().take(MOST_PAIRS + 1).collect();
        let mut problems = Problems::default();
        if pairs.len() > MOST_PAIRS {
            pairs.truncate(MOST_PAIRS);
            problems.push(Problem::general(format!("at most {MOST_PAIRS} parameters may be given")));
        }
        for (name, value) in &mut pairs {
            if value.len() > LONGEST_VALUE {
                problems.push(Problem::parameter(name.as_str(), format!("is longer than {LONGEST_VALUE} bytes")));
                value.clear();
            }
        }
        Self { pairs, problems }
    }

    /// The value of a parameter that may be given once.
    pub fn one(&mut self, name: &str) -> Option<String> {
        let mut values = self.many(name).into_iter();
        let first = values.next();
        if values.next().is_some() {
            self.problems.push(Problem::parameter(name, "is given more than once"));
        }
        first
    }

    /// The values of a repeatable parameter, in the order given.
    pub fn many(&mut self, name: &str) -> Vec<String> {
        self.pairs.iter().filter(|(given, _)| given == name).map(|(_, value)| value.clone()).collect()
    }

    /// Notes what is wrong; returns `None` for the caller to pass on.
    pub fn refuse<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.push(problem);
        None
    }

    /// Reads a whole question: its parts, and that there is nothing else.
    pub fn read<Q: FromParameters>(query: &str) -> Result<Q, Problems> {
        let mut parameters = Self::parse(query);
        let question = Q::take(&mut parameters);
        parameters.refuse_unknown(&Q::names());
        match question {
            Some(question) if parameters.problems.is_empty() => Ok(question),
            _ => Err(parameters.problems),
        }
    }

    fn refuse_unknown(&mut self, known: &[String]) {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let mut told = HashSet::new();
        for (name, _) in &self.pairs {
            if !known.contains(&name.as_str()) && told.insert(name) {
                self.problems.push(Problem::unknown_parameter(name, nearest(name, &known), &known));
            }
        }
    }
}

/// No parameters at all.
impl FromParameters for () {
    fn describe() -> Vec<Parameter> {
        Vec::new()
    }

    fn take(_: &mut Parameters) -> Option<Self> {
        Some(())
    }
}

/// Describes a parameter: an optional text.
pub fn text(name: &str, description: &str) -> ParameterBuilder {
    described(name, description, ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).build())
}

/// Describes a parameter: a text that must be given.
pub fn required_text(name: &str, description: &str) -> ParameterBuilder {
    text(name, description).required(Required::True)
}

/// Reads a text that must be given, and not be empty.
pub fn take_required(parameters: &mut Parameters, name: &str) -> Option<String> {
    match parameters.one(name).filter(|value| !value.is_empty()) {
        Some(value) => Some(value),
        None => parameters.refuse(Problem::parameter(name, "is missing")),
    }
}

/// Reads a length of time: minutes, hours or days, as in `30m`, `12h` or `7d`; `None` when it is none, or longer than
/// `most`.
pub fn read_length(written: &str, most: Duration) -> Option<Duration> {
    let unit = written.chars().last()?;
    let number: i64 = written.strip_suffix(unit)?.parse().ok().filter(|number| (1..=1_000_000).contains(number))?;
    let length = match unit {
        'm' => Duration::minutes(number),
        'h' => Duration::hours(number),
        'd' => Duration::days(number),
        _ => return None,
    };
    (length <= most).then_some(length)
}

/// A length of time of at most `most`, which may be left out. The outer `None` when it is refused.
pub fn take_length(parameters: &mut Parameters, name: &str, most: Duration) -> Option<Option<Duration>> {
    let Some(written) = parameters.one(name) else { return Some(None) };
    match read_length(&written, most) {
        Some(length) => Some(Some(length)),
        None => parameters.refuse(Problem::parameter(
            name,
            format!(
                "`{}` is not a length such as `30m`, `12h` or `14d`, of at most {} days",
                shown(&written),
                most.num_days()
            ),
        )),
    }
}

/// Describes a parameter: a whole number from `least` to `most`.
pub fn whole_number(name: &str, description: &str, (least, most): (u64, u64), default: u64) -> ParameterBuilder {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Integer))
        .minimum(Some(least as f64))
        .maximum(Some(most as f64))
        .default(Some(default.into()));
    described(name, description, schema.build())
}

/// Describes a parameter: a number from `least` to `most`.
pub fn number(name: &str, description: &str, [least, most]: [f64; 2], default: f64) -> ParameterBuilder {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Number))
        .minimum(Some(least))
        .maximum(Some(most))
        .default(Some(default.into()));
    described(name, description, schema.build())
}

/// Reads a parameter: a number from `least` to `most`.
pub fn take_number(parameters: &mut Parameters, name: &str, [least, most]: [f64; 2], default: f64) -> Option<f64> {
    let Some(value) = parameters.one(name) else { return Some(default) };
    match value.parse() {
        Ok(number) if (least..=most).contains(&number) => Some(number),
        _ => parameters
            .refuse(Problem::parameter(name, format!("`{}` is not a number from {least} to {most}", shown(&value)))),
    }
}

/// A parameter that is a number, and may be left out.
pub fn optional_number(name: &str, description: &str) -> ParameterBuilder {
    described(name, description, ObjectBuilder::new().schema_type(SchemaType::Type(Type::Number)).build())
}

/// A number that may be left out. The outer `None` when it is refused.
pub fn take_optional(parameters: &mut Parameters, name: &str) -> Option<Option<f64>> {
    let Some(value) = parameters.one(name) else { return Some(None) };
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() => Some(Some(number)),
        _ => parameters.refuse(Problem::parameter(name, format!("`{}` is not a number", shown(&value)))),
    }
}

/// Describes a parameter: one of a closed list.
pub fn choice(name: &str, description: &str, allowed: &[&str], default: Option<&str>) -> ParameterBuilder {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .enum_values(Some(allowed.to_vec()))
        .default(default.map(Into::into));
    described(name, description, schema.build())
}

/// Describes a repeatable parameter: a list of texts, written as `name=a&name=b`.
pub fn list(name: &str, description: &str) -> ParameterBuilder {
    let items = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    let schema: Array = ArrayBuilder::new().items(items).build();
    described(name, description, schema).style(Some(utoipa::openapi::path::ParameterStyle::Form)).explode(Some(true))
}

fn described(name: &str, description: &str, schema: impl Into<Schema>) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(RefOr::T(schema.into())))
}

/// A parameter with a closed list of values, each with its meaning: an enum that cannot drift from
/// what is read, refused and described.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $visibility:vis enum $name:ident as $parameter:literal
     { $($(#[doc = $doc:literal])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $visibility enum $name { $($(#[doc = $doc])* $variant,)+ }

        impl $name {
            pub const PARAMETER: &'static str = $parameter;
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            pub const NAMES: &'static [&'static str] = &[$($text,)+];
            /// What each says, in the order of the names; nothing where the name says it.
            pub const MEANINGS: &'static [&'static str] = &[$(concat!($($doc),*),)+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads the parameter, whatever its case; the outer `None` when it is refused.
            pub fn read(parameters: &mut $crate::query::Parameters) -> Option<Option<Self>> {
                let Some(value) = parameters.one($parameter) else { return Some(None) };
                match Self::ALL.iter().find(|known| known.name().eq_ignore_ascii_case(&value)) {
                    Some(known) => Some(Some(*known)),
                    None => parameters.refuse($crate::query::Problem::not_allowed($parameter, &value, Self::NAMES)),
                }
            }
        }
    };
}
pub(crate) use vocabulary;

/// What charts can be split by: a vocabulary whose values name columns of the facts. One of them may be the default.
macro_rules! dimension {
    ($(#[$meta:meta])* $visibility:vis enum $name:ident
     { $($(#[doc = $doc:literal])* $variant:ident = $text:literal of $column:literal,)+ } $(by default $default:ident)?) => {
        $crate::query::vocabulary! {
            $(#[$meta])*
            $visibility enum $name as "split_by" { $($(#[doc = $doc])* $variant = $text,)+ }
        }

        impl $crate::query::Dimension for $name {
            const NAMES: &'static [&'static str] = Self::NAMES;
            $(const DEFAULT: Option<Self> = Some(Self::$default);)?

            fn read(parameters: &mut $crate::query::Parameters) -> Option<Option<Self>> {
                Self::read(parameters)
            }

            fn name(self) -> &'static str {
                Self::name(self)
            }

            fn column(self) -> &'static str {
                match self { $(Self::$variant => $column,)+ }
            }
        }
    };
}
pub(crate) use dimension;

/// Makes a vocabulary a part of questions: a parameter with a default.
macro_rules! parameter {
    ($name:ident, $default:expr, $description:literal) => {
        impl $crate::query::FromParameters for $name {
            fn describe() -> Vec<utoipa::openapi::path::Parameter> {
                vec![$crate::query::choice(Self::PARAMETER, $description, Self::NAMES, Some($default.name())).build()]
            }

            fn take(parameters: &mut $crate::query::Parameters) -> Option<Self> {
                Self::read(parameters).map(|given| given.unwrap_or($default))
            }
        }
    };
}
pub(crate) use parameter;

/// Declares a question: a struct whose fields are read from the query string one by one, and whose
/// description is theirs together. What is known and what is described can therefore not differ.
macro_rules! question {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident $(<$of:ident: $bound:path>)?
     { $($(#[$doc:meta])* $field:ident: $part:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        $visibility struct $name $(<$of: $bound>)? { $($(#[$doc])* pub $field: $part,)* }

        impl $(<$of: $bound>)? $crate::query::FromParameters for $name $(<$of>)? {
            fn describe() -> Vec<utoipa::openapi::path::Parameter> {
                [$(<$part as $crate::query::FromParameters>::describe()),*].concat()
            }

            fn names() -> std::sync::Arc<[String]> {
                // Described once: every request asks for them.
                static NAMES: std::sync::OnceLock<std::sync::Arc<[String]>> = std::sync::OnceLock::new();
                let names = || Self::describe().into_iter().map(|parameter| parameter.name).collect();
                std::sync::Arc::clone(NAMES.get_or_init(names))
            }

            fn take(parameters: &mut $crate::query::Parameters) -> Option<Self> {
                // Every part is read before the first failure counts.
                $(let $field = <$part as $crate::query::FromParameters>::take(parameters);)*
                Some(Self { $($field: $field?,)* })
            }
        }

        impl $(<$of: $bound>)? utoipa::IntoParams for $name $(<$of>)? {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                <Self as $crate::query::FromParameters>::describe()
            }
        }
    };
}
pub(crate) use question;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_a_number_of_minutes_hours_or_days() {
        let length = |written| read_length(written, Duration::days(180));
        assert_eq!(length("30m"), Some(Duration::minutes(30)));
        assert_eq!(length("12h"), Some(Duration::hours(12)));
        assert_eq!(length("180d"), Some(Duration::days(180)));
        for bad in ["", "d", "0d", "181d", "-1d", "7", "7w", "1.5h", "7d ", "é", "99999999999999999999m"] {
            assert_eq!(length(bad), None, "{bad}");
        }
    }
}
