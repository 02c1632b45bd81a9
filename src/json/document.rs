//! A question in a body: read field by field, with all that is wrong noted, each at its place.
//!
//! What a body may have is declared with [`document!`](document), whose fields are read, refused and described by the
//! same names. Reading goes on after a problem; only at the end there either is a question, or all its problems.

use super::{Json, Object, read};
use crate::query::{Problem, Problems, nearest, shown};

/// Problems that are told at once.
const MOST_PROBLEMS: usize = 100;

/// Characters of a name.
const LONGEST_NAME: usize = 200;

/// Something that is read from a part of a body.
pub trait FromJson: Sized {
    /// Reads a value; `None` stands for one that is not there, or null. Returns `None` when something is wrong with
    /// it, which is then noted.
    fn take(value: Option<&Json<'_>>, place: &mut Place<'_>) -> Option<Self>;
}

/// Why a body is no question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no JSON, or could be read in two ways, or is too deep.
    Malformed(String),
    Problems(Problems),
}

/// Reads a whole body.
pub fn read_as<Q: FromJson>(text: &str) -> Result<Q, Unreadable> {
    let document = read(text).map_err(|error| Unreadable::Malformed(error.to_string()))?;
    let (mut pointer, mut problems) = (String::new(), Problems::default());
    let question = Q::take(Some(&document), &mut Place { pointer: &mut pointer, problems: &mut problems });
    match question {
        Some(question) if problems.is_empty() => Ok(question),
        _ => {
            problems.0.truncate(MOST_PROBLEMS);
            Err(Unreadable::Problems(problems))
        }
    }
}

/// Where in a body something is read, and what was wrong so far.
#[derive(Debug)]
pub struct Place<'p> {
    pointer: &'p mut String,
    problems: &'p mut Problems,
}

impl Place<'_> {
    /// Goes into a field or an item, and comes back.
    pub fn within<T>(&mut self, name: impl AsRef<str>, read: impl FnOnce(&mut Place<'_>) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        for (index, letter) in name.as_ref().chars().enumerate() {
            match letter {
                // No name is as long; what is beyond leads nowhere.
                _ if index == LONGEST_NAME => break,
                '~' => self.pointer.push_str("~0"),
                '/' => self.pointer.push_str("~1"),
                letter => self.pointer.push(letter),
            }
        }
        let read = read(&mut Place { pointer: self.pointer, problems: self.problems });
        self.pointer.truncate(length);
        read
    }

    /// Notes what is wrong here; returns `None` for the caller to pass on.
    pub fn refuse<T>(&mut self, detail: impl Into<String>) -> Option<T> {
        self.note(Problem::body(self.pointer.as_str(), detail))
    }

    /// Notes that a field of this object is wrong.
    pub fn refuse_field(&mut self, name: &str, detail: impl Into<String>) {
        self.within(name, |place| place.refuse::<()>(detail));
    }

    /// Notes that a value is none of a closed list.
    pub fn refuse_word<T, A: AsRef<str>>(&mut self, value: &str, allowed: &[A]) -> Option<T> {
        self.refuse_as(Problem::not_allowed("", value, allowed))
    }

    /// Notes a problem that was found elsewhere as one of this place.
    pub fn refuse_as<T>(&mut self, problem: Problem) -> Option<T> {
        self.note(problem.at(self.pointer.as_str()))
    }

    fn note<T>(&mut self, problem: Problem) -> Option<T> {
        // What is beyond is not told, and need not be kept.
        if self.problems.0.len() <= MOST_PROBLEMS {
            self.problems.push(problem);
        }
        None
    }

    /// The fields of an object that has no others than those known.
    pub fn object<'j>(&mut self, value: Option<&'j Json<'j>>, known: &[&str]) -> Option<&'j Object<'j>> {
        let fields = self.any_object(value)?;
        for (name, _) in fields.iter().filter(|(name, _)| !known.contains(name)) {
            let detail = match nearest(name, known) {
                Some(near) => format!("is not a field of this object; did you mean `{near}`?"),
                None => "is not a field of this object".to_owned(),
            };
            self.within(name, |place| {
                let problem = Problem::unknown_parameter(name, None, known).at(place.pointer.as_str());
                place.note::<()>(Problem { detail, ..problem })
            });
        }
        Some(fields)
    }

    /// The fields of an object, whatever their names.
    pub fn any_object<'j>(&mut self, value: Option<&'j Json<'j>>) -> Option<&'j Object<'j>> {
        match self.required(value)? {
            Json::Object(fields) => Some(fields),
            other => self.refuse(format!("is {}, not an object", kind_of(other))),
        }
    }

    fn required<'j>(&mut self, value: Option<&'j Json<'j>>) -> Option<&'j Json<'j>> {
        if value.is_none() { self.refuse("is missing") } else { value }
    }
}

fn kind_of(value: &Json<'_>) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Int(_) | Json::UInt(_) | Json::Float(_) => "a number",
        Json::Text(_) => "a text",
        Json::List(_) => "a list",
        Json::Object(_) => "an object",
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn take(value: Option<&Json<'_>>, place: &mut Place<'_>) -> Option<Self> {
        match value {
            None => Some(None),
            Some(value) => T::take(Some(value), place).map(Some),
        }
    }
}

/// A number that must be given.
impl FromJson for f64 {
    fn take(value: Option<&Json<'_>>, place: &mut Place<'_>) -> Option<Self> {
        match place.required(value)? {
            Json::Int(number) => Some(*number as f64),
            Json::UInt(number) => Some(*number as f64),
            Json::Float(number) => Some(*number),
            other => place.refuse(format!("is {}, not a number", kind_of(other))),
        }
    }
}

/// More are not counted: well within what numbers with a point tell apart, also when some are added up.
const MOST: u64 = 1_000_000_000_000;

/// A whole number that is not negative, as which 3.0 counts too.
fn whole_number(value: &Json<'_>) -> Option<u64> {
    let number = match value {
        Json::Float(number) if number.fract() == 0.0 && (0.0..=MOST as f64).contains(number) => Some(*number as u64),
        value => value.as_u64(),
    };
    number.filter(|number| *number <= MOST)
}

impl FromJson for u64 {
    fn take(value: Option<&Json<'_>>, place: &mut Place<'_>) -> Option<Self> {
        let value = place.required(value)?;
        match whole_number(value) {
            Some(number) => Some(number),
            None => place.refuse(format!("`{}` is not a whole number from 0 to {MOST}", shown(&value.to_string()))),
        }
    }
}

/// A name: a text that must be given, and not be empty.
impl FromJson for String {
    fn take(value: Option<&Json<'_>>, place: &mut Place<'_>) -> Option<Self> {
        match place.required(value)? {
            Json::Text(text) if text.is_empty() => place.refuse("is empty"),
            Json::Text(text) if text.chars().count() > LONGEST_NAME => {
                place.refuse(format!("is longer than {LONGEST_NAME} characters"))
            }
            Json::Text(text) => Some(text.to_string()),
            other => place.refuse(format!("is {}, not a text", kind_of(other))),
        }
    }
}

/// A list of the sender's. An item that could not be read is `None`, and noted.
/// Described as `#[schema(value_type = Vec<T>)]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Items<T>(pub Vec<Option<T>>);

impl<T: FromJson> FromJson for Items<T> {
    fn take(value: Option<&Json<'_>>, place: &mut Place<'_>) -> Option<Self> {
        let items = match place.required(value)? {
            Json::List(items) => items,
            other => return place.refuse(format!("is {}, not a list", kind_of(other))),
        };
        let read = |(index, item)| place.within(usize::to_string(&index), |place| T::take(Some(item), place));
        Some(Self(items.iter().enumerate().map(read).collect()))
    }
}

/// An object whose names are the sender's, in their order. A value that could not be read is `None`, and noted.
/// Described as `#[schema(value_type = BTreeMap<String, T>)]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T>(pub Vec<(String, Option<T>)>);

impl<T> Named<T> {
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_ref())
    }
}

impl<T: FromJson> FromJson for Named<T> {
    fn take(value: Option<&Json<'_>>, place: &mut Place<'_>) -> Option<Self> {
        let fields = place.any_object(value)?;
        let read = |(name, value): (&str, _)| {
            let value = place.within(name, |place| {
                let name = String::take(Some(&Json::from(name)), place);
                name.and(T::take(Some(value), place))
            });
            (name.to_owned(), value)
        };
        Some(Self(fields.iter().map(read).collect()))
    }
}

/// Declares an object of a body: a struct whose fields are read by their names, and which has no others.
macro_rules! document {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident
     { $($(#[$doc:meta])* $field:ident $(as $renamed:literal)?: $part:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, utoipa::ToSchema)]
        $visibility struct $name { $($(#[$doc])* $(#[schema(rename = $renamed)])? pub $field: $part,)* }

        impl $crate::json::FromJson for $name {
            fn take(
                value: Option<&$crate::json::Json<'_>>,
                place: &mut $crate::json::Place<'_>,
            ) -> Option<Self> {
                let fields = place.object(value, &[$($crate::json::document!(@name $field $($renamed)?)),*])?;
                let given = |name: &str| fields.get(name).filter(|value| !value.is_null());
                // Every field is read before the first failure counts.
                $(let $field = {
                    let name = $crate::json::document!(@name $field $($renamed)?);
                    place.within(name, |place| <$part as $crate::json::FromJson>::take(given(name), place))
                };)*
                Some(Self { $($field: $field?,)* })
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $renamed:literal) => { $renamed };
}
pub(crate) use document;

/// Declares a number of bodies with bounds, which may have a default.
macro_rules! bounded {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident [$least:literal, $most:literal] $(= $default:literal)?) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        $visibility struct $name(pub f64);

        impl $crate::json::FromJson for $name {
            fn take(
                value: Option<&$crate::json::Json<'_>>,
                place: &mut $crate::json::Place<'_>,
            ) -> Option<Self> {
                $(if value.is_none() {
                    return Some(Self($default));
                })?
                let number = <f64 as $crate::json::FromJson>::take(value, place)?;
                match ($least..=$most).contains(&number) {
                    true => Some(Self(number)),
                    false => place.refuse(format!("`{number}` is not from {} to {}", $least, $most)),
                }
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
                let schema = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Number));
                let schema = schema.minimum(Some($least)).maximum(Some($most));
                $(let schema = schema.default(Some($default.into()));)?
                schema.into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use bounded;

/// What the words of a list mean, a line each; nothing when all of them say it themselves.
pub fn meanings(names: &[&str], meanings: &[&str]) -> Option<String> {
    let told = names.iter().zip(meanings).filter(|(_, meaning)| !meaning.is_empty());
    let lines: Vec<String> = told.map(|(name, meaning)| format!("- `{name}`: {}", meaning.trim())).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Makes a vocabulary a word of bodies and answers, which may have a default.
macro_rules! word {
    ($name:ident $(, $default:expr)?) => {
        impl $crate::json::FromJson for $name {
            fn take(
                value: Option<&$crate::json::Json<'_>>,
                place: &mut $crate::json::Place<'_>,
            ) -> Option<Self> {
                $(if value.is_none() {
                    return Some($default);
                })?
                let text = <String as $crate::json::FromJson>::take(value, place)?;
                match Self::ALL.iter().find(|known| known.name().eq_ignore_ascii_case(&text)) {
                    Some(known) => Some(*known),
                    None => place.refuse_word(&text, Self::NAMES),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
                let schema = ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .enum_values(Some(Self::NAMES.to_vec()))
                    .description($crate::json::meanings(Self::NAMES, Self::MEANINGS));
                $(let schema = schema.default(Some($default.name().into()));)?
                schema.into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use word;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Parameters, vocabulary};

    vocabulary! {
        enum Colour as "colour" {
            /// Like
            /// blood.
            Red = "red",
            Green = "green",
        }
    }

    word!(Colour, Colour::Red);

    bounded! {
        struct Share [0.0, 1.0] = 0.5
    }

    document! {
        struct Inner { count: u64, }
    }

    document! {
        struct Outer {
            name: String,
            colour: Colour,
            ratio: Option<f64>,
            #[schema(value_type = Vec<Inner>)]
            parts: Items<Inner>,
            share as "type": Share,
            #[schema(value_type = std::collections::BTreeMap<String, Inner>)]
            by_name: Named<Inner>,
        }
    }

    fn problems(text: &str) -> Vec<(String, String)> {
        let Err(Unreadable::Problems(Problems(problems))) = read_as::<Outer>(text) else { panic!("{text} is read") };
        problems.into_iter().map(|problem| (problem.pointer.unwrap(), problem.detail)).collect()
    }

    #[test]
    fn a_body_is_read_as_it_is_declared() {
        let text = r#"{"name":"a","colour":"GREEN","ratio":null,"type":0.25,"parts":[{"count":1},{"count":2.0}],"by_name":{"x/y":{"count":3}}}"#;
        let outer: Outer = read_as(text).unwrap();
        assert_eq!((outer.name.as_str(), outer.colour, outer.ratio), ("a", Colour::Green, None));
        assert_eq!(outer.parts.0, [Some(Inner { count: 1 }), Some(Inner { count: 2 })]);
        assert_eq!(outer.share, Share(0.25));
        assert_eq!(outer.by_name.get("x/y"), Some(&Inner { count: 3 }));
        assert_eq!(meanings(Colour::NAMES, Colour::MEANINGS).as_deref(), Some("- `red`: Like blood."));
        let least: Outer = read_as(r#"{"name":"a","parts":[],"by_name":{}}"#).unwrap();
        assert_eq!((least.colour, least.share), (Colour::Red, Share(0.5)));
        // The same word is read from a query string.
        let mut parameters = Parameters::parse("colour=green");
        assert_eq!((Colour::PARAMETER, Colour::read(&mut parameters)), ("colour", Some(Some(Colour::Green))));
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_and_where_it_is() {
        let text = r#"{"name":"","colour":"reed","ratio":"1","type":1.5,"parts":[{"count":-1},{"cuont":1},7],"by_name":{"x/~y":{"count":0.5}},"more":1}"#;
        let told = problems(text);
        let places: Vec<&str> = told.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(
            places,
            [
                "/more",
                "/name",
                "/colour",
                "/ratio",
                "/parts/0/count",
                "/parts/1/cuont",
                "/parts/1/count",
                "/parts/2",
                "/type",
                "/by_name/x~1~0y/count"
            ]
        );
        assert!(told[2].1.contains("did you mean `red`?") && told[5].1.contains("did you mean `count`?"), "{told:?}");
        assert!(told[6].1.contains("missing"), "{told:?}");
    }

    #[test]
    fn what_is_no_object_is_told_and_so_is_what_is_no_json() {
        assert_eq!(problems("[]"), [(String::new(), "is a list, not an object".to_owned())]);
        assert!(matches!(read_as::<Outer>("{"), Err(Unreadable::Malformed(_))));
        assert!(matches!(read_as::<Outer>(r#"{"name":"a","name":"b"}"#), Err(Unreadable::Malformed(_))));
        let many = format!(r#"{{"name":"a","by_name":{{}},"parts":[{}]}}"#, vec!["0"; 5_000].join(","));
        assert_eq!(problems(&many).len(), MOST_PROBLEMS);
    }
}
