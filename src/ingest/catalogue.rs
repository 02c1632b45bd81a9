//! The catalogue of event data: fields that have one type in every event.
//!
//! They are typed paths of the column `data`, and a value of another type would make the engine
//! refuse its whole block. So it is refused here, alone, with its place.

use serde_json::Value;

use super::rejection::Rejection;

/// The type of a catalogued field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    Text,
    /// 0 to 4,294,967,295
    WholeNumber,
    Number,
    Truth,
}

/// Fields of `data`, as migration 001 types them.
pub const FIELDS: [(&str, FieldType); 24] = [
    ("text_length", FieldType::WholeNumber),
    ("recommendation_id", FieldType::Text),
    ("source", FieldType::Text),
    ("rank", FieldType::WholeNumber),
    ("len_text", FieldType::WholeNumber),
    ("latency_ms", FieldType::Number),
    ("experiment_id", FieldType::Text),
    ("variant", FieldType::Text),
    ("assistant_id", FieldType::Text),
    ("assistant_version", FieldType::Text),
    ("outcome", FieldType::Text),
    ("prompt_tokens", FieldType::WholeNumber),
    ("response_tokens", FieldType::WholeNumber),
    ("model", FieldType::Text),
    ("error_type", FieldType::Text),
    ("message", FieldType::Text),
    ("duration_ms", FieldType::Number),
    ("transfer_reason", FieldType::Text),
    ("direction", FieldType::Text),
    ("speech_to_text_ms", FieldType::Number),
    ("model_ms", FieldType::Number),
    ("text_to_speech_ms", FieldType::Number),
    ("first_audio_ms", FieldType::Number),
    ("interrupted", FieldType::Truth),
];

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
    pub fn read(self, value: Value, pointer: &str) -> Result<Value, Rejection> {
        let fits = match (self, &value) {
            (_, Value::Null) => true,
            (Self::Text, Value::String(_)) | (Self::Number, Value::Number(_)) | (Self::Truth, Value::Bool(_)) => true,
            (Self::Text, Value::Number(number)) if number.is_u64() || number.is_i64() => {
                return Ok(Value::String(number.to_string()));
            }
            (Self::WholeNumber, Value::Number(number)) => {
                number.as_u64().is_some_and(|number| u32::try_from(number).is_ok())
            }
            _ => false,
        };
        if fits { Ok(value) } else { Err(Rejection::invalid_type(pointer, self.told())) }
    }
}

/// Checks the catalogued fields of `data`, in place.
pub fn check(data: &mut serde_json::Map<String, Value>) -> Result<(), Rejection> {
    for (name, field_type) in FIELDS {
        if let Some(value) = data.get_mut(name) {
            *value = field_type.read(value.take(), &format!("/data/{name}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_catalogue_is_what_the_table_types() {
        let migration = include_str!("../../migrations/001_create_table_events.sql");
        let (_, typed) = migration.split_once("data JSON(").unwrap();
        let (typed, _) = typed.split_once("\n    ),").unwrap();
        let typed: Vec<(&str, FieldType)> = typed
            .lines()
            .filter_map(|line| line.trim().trim_end_matches(',').split_once(' '))
            .map(|(name, column_type)| {
                let field_type = match column_type.trim() {
                    "Nullable(String)" | "LowCardinality(Nullable(String))" => FieldType::Text,
                    "Nullable(UInt32)" => FieldType::WholeNumber,
                    "Nullable(Float64)" => FieldType::Number,
                    "Nullable(Bool)" => FieldType::Truth,
                    other => panic!("{name} {other}"),
                };
                (name, field_type)
            })
            .collect();
        assert_eq!(typed, FIELDS);
    }

    #[test]
    fn a_whole_number_is_a_text_and_nothing_else_is_converted() {
        let read = |field_type: FieldType, value: Value| field_type.read(value, "/data/x").ok();
        assert_eq!(read(FieldType::Text, json!(42)), Some(json!("42")));
        assert_eq!(read(FieldType::WholeNumber, json!(42)), Some(json!(42)));
        assert_eq!(read(FieldType::Number, json!(1.5)), Some(json!(1.5)));
        assert_eq!(read(FieldType::Truth, json!(null)), Some(json!(null)));
        for (field_type, value) in [
            (FieldType::Text, json!(1.5)),
            (FieldType::Text, json!({"a": 1})),
            (FieldType::WholeNumber, json!("42")),
            (FieldType::WholeNumber, json!(-1)),
            (FieldType::WholeNumber, json!(1.5)),
            (FieldType::WholeNumber, json!(4_294_967_296_u64)),
            (FieldType::Number, json!("1.5")),
            (FieldType::Truth, json!(1)),
            (FieldType::Truth, json!("true")),
        ] {
            assert_eq!(read(field_type, value.clone()), None, "{field_type:?} {value}");
        }
    }
}
