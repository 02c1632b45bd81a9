//! The JSON encoding of OTLP: ids in hexadecimal, enums as whole numbers, names in lowerCamelCase; unknown
//! fields are ignored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use crate::json::{Json, Object, read};

/// A message that can be made of a document.
pub trait FromJson: Sized {
    fn from_json(fields: Object<'_>) -> Result<Self, String>;
}

/// Reads a message.
pub fn message<M: FromJson>(text: &str) -> Result<M, String> {
    match read(text).map_err(|error| error.to_string())? {
        Json::Object(fields) => M::from_json(fields),
        _ => Err("it is not an object".to_owned()),
    }
}

impl FromJson for Resource {
    fn from_json(mut fields: Object<'_>) -> Result<Self, String> {
        Ok(Self { attributes: attributes(&mut fields)?, ..Self::default() })
    }
}

impl FromJson for InstrumentationScope {
    fn from_json(mut fields: Object<'_>) -> Result<Self, String> {
        Ok(Self {
            name: text(&mut fields, "name")?,
            version: text(&mut fields, "version")?,
            attributes: attributes(&mut fields)?,
            ..Self::default()
        })
    }
}

impl FromJson for Span {
    fn from_json(mut fields: Object<'_>) -> Result<Self, String> {
        let mut status = object(fields.remove("status"), "status")?;
        Ok(Self {
            trace_id: id(&mut fields, "traceId"),
            span_id: id(&mut fields, "spanId"),
            parent_span_id: id(&mut fields, "parentSpanId"),
            trace_state: text(&mut fields, "traceState")?,
            flags: number(&mut fields, "flags")?,
            name: text(&mut fields, "name")?,
            kind: number(&mut fields, "kind")?,
            start_time_unix_nano: number(&mut fields, "startTimeUnixNano")?,
            end_time_unix_nano: number(&mut fields, "endTimeUnixNano")?,
            attributes: attributes(&mut fields)?,
            events: list(&mut fields, "events", |mut fields| {
                Ok(Event {
                    time_unix_nano: number(&mut fields, "timeUnixNano")?,
                    name: text(&mut fields, "name")?,
                    attributes: attributes(&mut fields)?,
                    ..Event::default()
                })
            })?,
            links: list(&mut fields, "links", |mut fields| {
                Ok(Link {
                    trace_id: id(&mut fields, "traceId"),
                    span_id: id(&mut fields, "spanId"),
                    trace_state: text(&mut fields, "traceState")?,
                    attributes: attributes(&mut fields)?,
                    ..Link::default()
                })
            })?,
            status: Some(Status { message: text(&mut status, "message")?, code: number(&mut status, "code")? }),
            ..Self::default()
        })
    }
}

impl FromJson for LogRecord {
    fn from_json(mut fields: Object<'_>) -> Result<Self, String> {
        Ok(Self {
            time_unix_nano: number(&mut fields, "timeUnixNano")?,
            observed_time_unix_nano: number(&mut fields, "observedTimeUnixNano")?,
            severity_number: number(&mut fields, "severityNumber")?,
            severity_text: text(&mut fields, "severityText")?,
            body: given(&mut fields, "body").map(any_value).transpose()?,
            attributes: attributes(&mut fields)?,
            dropped_attributes_count: number(&mut fields, "droppedAttributesCount")?,
            flags: number(&mut fields, "flags")?,
            trace_id: id(&mut fields, "traceId"),
            span_id: id(&mut fields, "spanId"),
            event_name: text(&mut fields, "eventName")?,
        })
    }
}

pub(super) fn attributes(fields: &mut Object<'_>) -> Result<Vec<KeyValue>, String> {
    list(fields, "attributes", key_value)
}

fn key_value(mut fields: Object<'_>) -> Result<KeyValue, String> {
    Ok(KeyValue {
        key: text(&mut fields, "key")?,
        value: given(&mut fields, "value").map(any_value).transpose()?,
        ..KeyValue::default()
    })
}

fn any_value(value: Json<'_>) -> Result<AnyValue, String> {
    let mut fields = object(Some(value), "a value")?;
    let mut take = |name: &str| given(&mut fields, name);
    let value = if let Some(value) = take("stringValue") {
        Value::StringValue(as_text(value, "stringValue")?)
    } else if let Some(value) = take("boolValue") {
        Value::BoolValue(value.as_bool().ok_or("`boolValue` is true or false")?)
    } else if let Some(value) = take("intValue") {
        Value::IntValue(as_number(&value, "intValue")?)
    } else if let Some(value) = take("doubleValue") {
        Value::DoubleValue(as_double(&value)?)
    } else if let Some(value) = take("bytesValue") {
        let text = as_text(value, "bytesValue")?;
        Value::BytesValue(STANDARD.decode(text).map_err(|_| "`bytesValue` is base64")?)
    } else if let Some(value) = take("arrayValue") {
        let mut fields = object(Some(value), "arrayValue")?;
        let values = items(&mut fields, "values")?.into_iter().map(any_value).collect::<Result<_, _>>()?;
        Value::ArrayValue(ArrayValue { values })
    } else if let Some(value) = take("kvlistValue") {
        let mut fields = object(Some(value), "kvlistValue")?;
        Value::KvlistValue(KeyValueList { values: list(&mut fields, "values", key_value)? })
    } else {
        return Ok(AnyValue { value: None });
    };
    Ok(AnyValue { value: Some(value) })
}

/// The value of a field; null is as if it was not there.
fn given<'a>(fields: &mut Object<'a>, name: &str) -> Option<Json<'a>> {
    fields.remove(name).filter(|value| !value.is_null())
}

fn object<'a>(value: Option<Json<'a>>, name: &str) -> Result<Object<'a>, String> {
    match value {
        None | Some(Json::Null) => Ok(Object::default()),
        Some(Json::Object(object)) => Ok(object),
        Some(_) => Err(format!("`{name}` is an object")),
    }
}

fn items<'a>(fields: &mut Object<'a>, name: &str) -> Result<Vec<Json<'a>>, String> {
    match fields.remove(name) {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::List(items)) => Ok(items),
        Some(_) => Err(format!("`{name}` is a list")),
    }
}

fn list<'a, T>(
    fields: &mut Object<'a>,
    name: &str,
    read: impl Fn(Object<'a>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    items(fields, name)?.into_iter().map(|item| object(Some(item), name).and_then(&read)).collect()
}

fn text(fields: &mut Object<'_>, name: &str) -> Result<String, String> {
    given(fields, name).map_or(Ok(String::new()), |value| as_text(value, name))
}

fn as_text(value: Json<'_>, name: &str) -> Result<String, String> {
    match value {
        Json::Text(text) => Ok(text.0.into_owned()),
        _ => Err(format!("`{name}` is a text")),
    }
}

/// A whole number; those of 64 bits may be texts.
fn number<N: TryFrom<i128> + Default>(fields: &mut Object<'_>, name: &str) -> Result<N, String> {
    given(fields, name).map_or(Ok(N::default()), |value| as_number(&value, name))
}

fn as_number<N: TryFrom<i128>>(value: &Json<'_>, name: &str) -> Result<N, String> {
    let number = match value {
        Json::Int(number) => Some(i128::from(*number)),
        Json::UInt(number) => Some(i128::from(*number)),
        Json::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(*number as i128),
        Json::Text(text) => text.parse().ok(),
        _ => None,
    };
    number.and_then(|number| N::try_from(number).ok()).ok_or_else(|| format!("`{name}` is a whole number"))
}

fn as_double(value: &Json<'_>) -> Result<f64, String> {
    match value {
        Json::Int(number) => Ok(*number as f64),
        Json::UInt(number) => Ok(*number as f64),
        Json::Float(number) => Ok(*number),
        Json::Text(text) => match &**text {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            text => text.parse().map_err(|_| "`doubleValue` is a number".to_owned()),
        },
        _ => Err("`doubleValue` is a number".to_owned()),
    }
}

/// An id of hexadecimal digits. One that cannot be read becomes a byte of zero, which no id is.
pub(super) fn id(fields: &mut Object<'_>, name: &str) -> Vec<u8> {
    match fields.remove(name) {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Text(text)) => {
            let digits = text.as_bytes();
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            let is_hex = digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit);
            let bytes: Option<Vec<u8>> = if is_hex { digits.chunks(2).map(byte).collect() } else { None };
            bytes.unwrap_or_else(|| vec![0])
        }
        Some(_) => vec![0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_as_if_it_was_not_there() {
        let record = |fields: &str| message::<LogRecord>(fields).unwrap();
        let with_nulls = record(r#"{"body":null,"flags":null,"attributes":[{"key":"k","value":null}]}"#);
        assert_eq!(with_nulls, record(r#"{"attributes":[{"key":"k"}]}"#));
        let counted = record(r#"{"flags":1,"droppedAttributesCount":2}"#);
        assert_eq!((counted.flags, counted.dropped_attributes_count), (1, 2));
    }
}
