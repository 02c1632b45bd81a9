//! Values of OTLP as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use crate::json::{DEEPEST, Json, Object};

/// Attributes of one span, event, link or resource.
const MOST_ATTRIBUTES: usize = 1_024;

/// Attributes that there are too many of, or that are too deep.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMuch(pub &'static str);

/// Attributes as the fields of an object. A later value takes the place of an earlier one.
pub fn object(attributes: Vec<KeyValue>) -> Result<Object<'static>, TooMuch> {
    object_at(attributes, 1)
}

fn object_at(attributes: Vec<KeyValue>, depth: usize) -> Result<Object<'static>, TooMuch> {
    if attributes.len() > MOST_ATTRIBUTES {
        return Err(TooMuch("more than 1024 attributes"));
    }
    let mut object = Object::default();
    for KeyValue { key, value, .. } in attributes {
        object.insert(key, json_at(value, depth)?);
    }
    Ok(object)
}

/// A value as JSON; bytes in base64, numbers that are not finite as texts.
pub fn json(value: Option<AnyValue>) -> Result<Json<'static>, TooMuch> {
    json_at(value, 0)
}

fn json_at(value: Option<AnyValue>, depth: usize) -> Result<Json<'static>, TooMuch> {
    if depth > DEEPEST {
        return Err(TooMuch("a value with more than 64 levels"));
    }
    Ok(match value.and_then(|value| value.value) {
        None => Json::Null,
        Some(Value::StringValue(text)) => text.into(),
        Some(Value::BoolValue(truth)) => truth.into(),
        Some(Value::IntValue(number)) => number.into(),
        Some(Value::DoubleValue(number)) if number.is_finite() => number.into(),
        Some(Value::DoubleValue(number)) if number.is_nan() => "NaN".into(),
        Some(Value::DoubleValue(number)) => if number > 0.0 { "Infinity" } else { "-Infinity" }.into(),
        Some(Value::ArrayValue(list)) => {
            Json::List(list.values.into_iter().map(|item| json_at(Some(item), depth + 1)).collect::<Result<_, _>>()?)
        }
        Some(Value::KvlistValue(list)) => object_at(list.values, depth + 1)?.into(),
        Some(Value::BytesValue(bytes)) => STANDARD.encode(bytes).into(),
        #[allow(unreachable_patterns, reason = "later releases of the protocol have more kinds of values")]
        Some(_) => Json::Null,
    })
}
