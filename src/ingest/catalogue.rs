//! The catalogue of event data: fields that have one type in every event.
//!
//! They are typed paths of the column `data`, and a value of another type would be lost there. So it is
//! refused here, alone, with its place.

use super::rejection::Rejection;
use crate::clickhouse::native::Type;
use crate::json::{Json, Object};
use crate::rows::TYPED_PATHS;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    Text,
    /// 0 to 4,294,967,295
    WholeNumber,
    Number,
    Truth,
}

impl FieldType {
    fn told(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::WholeNumber => "a whole number from 0 to 4294967295",
            Self::Number => "a number",
            Self::Truth => "true or false",
        }
    }

    /// The value as the type has it. A whole number is a fine text; nothing else is converted.
    pub fn read<'a>(self, value: Json<'a>, pointer: impl FnOnce() -> String) -> Result<Json<'a>, Rejection> {
        match (self, value) {
            (_, Json::Null) => Ok(Json::Null),
            (Self::Text, value @ Json::Text(_)) | (Self::Truth, value @ Json::Bool(_)) => Ok(value),
            (Self::Number, value @ (Json::Int(_) | Json::UInt(_) | Json::Float(_))) => Ok(value),
            (Self::Text, value @ (Json::Int(_) | Json::UInt(_))) => Ok(value.to_string().into()),
            (Self::WholeNumber, Json::Int(number)) if u32::try_from(number).is_ok() => Ok(Json::Int(number)),
            _ => Err(Rejection::invalid_type(&pointer(), self.told())),
        }
    }

    fn of(path: Type) -> Self {
        match path {
            Type::Nullable(Type::Word | Type::Text) => Self::Text,
            Type::Nullable(Type::UInt32) => Self::WholeNumber,
            Type::Nullable(Type::Float64) => Self::Number,
            Type::Nullable(Type::Bool) => Self::Truth,
            other => panic!("the catalogue has no fields of type {other}"),
        }
    }
}

/// Checks the catalogued fields of `data`, in place.
pub fn check(data: &mut Object<'_>) -> Result<(), Rejection> {
    for (name, value) in data.iter_mut() {
        if let Ok(index) = TYPED_PATHS.binary_search_by_key(&name, |(path, _)| path) {
            let field_type = FieldType::of(TYPED_PATHS[index].1);
            *value = field_type.read(std::mem::take(value), || format!("/data/{name}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn a_whole_number_is_a_text_and_nothing_else_is_converted() {
        let read = |field_type: FieldType, text: &'static str| {
            field_type.read(json::read(text).unwrap(), || "/data/x".to_owned()).ok()
        };
        assert_eq!(read(FieldType::Text, "42"), Some("42".into()));
        assert_eq!(read(FieldType::WholeNumber, "42"), Some(Json::Int(42)));
        assert_eq!(read(FieldType::Number, "1.5"), Some(Json::Float(1.5)));
        assert_eq!(read(FieldType::Truth, "null"), Some(Json::Null));
        for (field_type, value) in [
            (FieldType::Text, r#"1.5"#),
            (FieldType::Text, r#"{"a": 1}"#),
            (FieldType::WholeNumber, r#""42""#),
            (FieldType::WholeNumber, r#"-1"#),
            (FieldType::WholeNumber, r#"1.5"#),
            (FieldType::WholeNumber, r#"4294967296"#),
            (FieldType::Number, r#""1.5""#),
            (FieldType::Truth, r#"1"#),
            (FieldType::Truth, r#""true""#),
        ] {
            assert_eq!(read(field_type, value), None, "{field_type:?} {value}");
        }
    }
}
