//! Messages of OTLP in JSON, as its specification says and independently of how the program reads it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chartwell::rows::hex;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

pub fn traces(message: &ExportTraceServiceRequest) -> Value {
    let of_resource = message.resource_spans.iter().map(|of_resource| {
        let of_scope = of_resource.scope_spans.iter().map(|of_scope| {
            json!({"scope": scope(of_scope.scope.as_ref()), "spans": list(&of_scope.spans, span), "schemaUrl": of_scope.schema_url})
        });
        json!({"resource": resource(of_resource.resource.as_ref()), "scopeSpans": of_scope.collect::<Vec<_>>()})
    });
    json!({"resourceSpans": of_resource.collect::<Vec<_>>()})
}

pub fn logs(message: &ExportLogsServiceRequest) -> Value {
    let of_resource = message.resource_logs.iter().map(|of_resource| {
        let of_scope = of_resource.scope_logs.iter().map(|of_scope| {
            json!({"scope": scope(of_scope.scope.as_ref()), "logRecords": list(&of_scope.log_records, log_record)})
        });
        json!({"resource": resource(of_resource.resource.as_ref()), "scopeLogs": of_scope.collect::<Vec<_>>()})
    });
    json!({"resourceLogs": of_resource.collect::<Vec<_>>()})
}

fn list<T>(items: &[T], of: impl Fn(&T) -> Value) -> Vec<Value> {
    items.iter().map(of).collect()
}

fn resource(resource: Option<&Resource>) -> Value {
    resource.map_or(Value::Null, |resource| json!({"attributes": list(&resource.attributes, key_value)}))
}

fn scope(scope: Option<&InstrumentationScope>) -> Value {
    scope.map_or(
        Value::Null,
        |scope| json!({"name": scope.name, "version": scope.version, "attributes": list(&scope.attributes, key_value)}),
    )
}

fn span(span: &Span) -> Value {
    let events = span.events.iter().map(|event| {
        json!({"timeUnixNano": event.time_unix_nano.to_string(), "name": event.name, "attributes": list(&event.attributes, key_value)})
    });
    let links = span.links.iter().map(|link| {
        json!({"traceId": hex(&link.trace_id), "spanId": hex(&link.span_id), "traceState": link.trace_state,
            "attributes": list(&link.attributes, key_value)})
    });
    json!({
        "traceId": hex(&span.trace_id), "spanId": hex(&span.span_id), "parentSpanId": hex(&span.parent_span_id),
        "traceState": span.trace_state, "flags": span.flags, "name": span.name, "kind": span.kind,
        "startTimeUnixNano": span.start_time_unix_nano.to_string(), "endTimeUnixNano": span.end_time_unix_nano,
        "attributes": list(&span.attributes, key_value), "droppedAttributesCount": span.dropped_attributes_count,
        "events": events.collect::<Vec<_>>(), "links": links.collect::<Vec<_>>(),
        "status": span.status.as_ref().map(|status| json!({"message": status.message, "code": status.code})),
    })
}

fn log_record(record: &LogRecord) -> Value {
    json!({
        "timeUnixNano": record.time_unix_nano.to_string(), "observedTimeUnixNano": record.observed_time_unix_nano.to_string(),
        "severityNumber": record.severity_number, "severityText": record.severity_text, "body": record.body.as_ref().map(any_value),
        "attributes": list(&record.attributes, key_value), "droppedAttributesCount": record.dropped_attributes_count,
        "flags": record.flags, "traceId": hex(&record.trace_id), "spanId": hex(&record.span_id), "eventName": record.event_name,
    })
}

fn key_value(pair: &KeyValue) -> Value {
    json!({"key": pair.key, "value": pair.value.as_ref().map(any_value)})
}

fn any_value(value: &AnyValue) -> Value {
    match &value.value {
        None => json!({}),
        Some(Kind::StringValue(text)) => json!({"stringValue": text}),
        Some(Kind::BoolValue(truth)) => json!({"boolValue": truth}),
        Some(Kind::IntValue(number)) => json!({"intValue": number.to_string()}),
        Some(Kind::DoubleValue(number)) if number.is_finite() => json!({"doubleValue": number}),
        Some(Kind::DoubleValue(number)) if number.is_nan() => json!({"doubleValue": "NaN"}),
        Some(Kind::DoubleValue(number)) => json!({"doubleValue": if *number > 0.0 { "Infinity" } else { "-Infinity" }}),
        Some(Kind::ArrayValue(list_of)) => json!({"arrayValue": {"values": list(&list_of.values, any_value)}}),
        Some(Kind::KvlistValue(list_of)) => json!({"kvlistValue": {"values": list(&list_of.values, key_value)}}),
        Some(Kind::BytesValue(bytes)) => json!({"bytesValue": STANDARD.encode(bytes)}),
        // Belongs to profiles.
        Some(Kind::StringValueStrindex(_)) => json!({}),
    }
}
