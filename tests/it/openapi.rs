//! The OpenAPI document: committed, complete, and true.

use serde_json::{Value, json};

use crate::support::{TRACE, TestApp, Via, message, recommendation, span, with, with_names};

fn description() -> Value {
    serde_json::to_value(chartwell::app::description()).unwrap()
}

#[test]
fn the_committed_document_is_that_of_the_code() {
    let committed: Value = serde_json::from_str(include_str!("../../openapi/openapi.json")).unwrap();
    assert!(committed == description(), "openapi/openapi.json is not what the code describes: run `make openapi`");
}

#[test]
fn every_operation_says_what_it_is_and_how_it_can_fail() {
    let description = description();
    let text = description.to_string();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let told = |name: &str| operation[name].as_str().is_some_and(|text| !text.is_empty());
            assert!(told("summary") && told("description") && told("operationId"), "{method} {path}");
            if path.starts_with("/api/") {
                for status in ["401", "403", "422", "429"] {
                    assert!(operation["responses"].get(status).is_some(), "{method} {path} does not describe {status}");
                }
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(
                    parameter["description"].as_str().is_some_and(|text| !text.is_empty()),
                    "{path} {}",
                    parameter["name"]
                );
            }
        }
    }
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(description.pointer(reference).is_some(), "{reference} is referred to and not there");
    }
    for code in chartwell::error::Code::ALL {
        assert!(text.contains(&format!("\"{}\"", code.name())), "{} is not listed", code.name());
    }
}

#[tokio::test]
async fn every_answer_has_the_keys_that_are_described_and_no_others() {
    let app = TestApp::start_with("described", Via::Pipe, |config| config.ingest.retention_days = 0).await;
    app.store(&[
        message("2026-02-01T10:00:00Z", &[("gpt", 5, false)]),
        recommendation("Shown", "2026-02-01T10:00:00Z", "gpt"),
        json!({
            "event": "exposure", "visitor_id": "visitor", "time_utc": "2026-02-01T10:00:00Z",
            "data": {"experiment_id": "reply-tone", "variant": "A"},
        }),
    ])
    .await;
    let run = span(0, 0, "2026-02-01T10:00:00Z".parse().unwrap(), 10, &json!({"gen_ai.agent.name": "triage"}));
    app.store_spans(&[with(run, json!({"traceId": TRACE}))]).await;
    let description = description();
    let mut checked = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get").filter(|_| path.starts_with("/api/")) else { continue };
        let names: Vec<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let mut query = String::new();
        for (name, value) in [
            ("datetime_from", "2026-02-01"),
            ("datetime_to", "2026-02-03"),
            ("aggregation_level", "day"),
            ("compare", "previous_period"),
        ] {
            if names.contains(&name) {
                query += &format!("&{name}={value}");
            }
        }
        let answer = app.get(&format!("{}{query}", with_names(path, operation))).await;
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        check(&description, schema, &answer, path).unwrap();
        checked += 1;
    }
    assert!(checked >= 9);
}

/// Compares a value with its schema: required keys are there, and every key is described.
fn check(description: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let schema = resolved(description, schema);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if let Some(name) = part["$ref"].as_str() {
            assert!(description.pointer(name.trim_start_matches('#')).is_some());
        }
    }
    if let Some(options) = schema["oneOf"].as_array() {
        let options = options.iter().filter(|option| option["type"] != "null" && !value.is_null());
        let checked: Vec<_> = options.map(|option| check(description, option, value, place)).collect();
        return if checked.iter().any(Result::is_ok) { Ok(()) } else { checked.into_iter().next().unwrap_or(Ok(())) };
    }
    match value {
        Value::Object(entries) => {
            let parts: Vec<&Value> = std::iter::once(schema)
                .chain(schema["allOf"].as_array().into_iter().flatten())
                .map(|part| resolved(description, part))
                .collect();
            let required = parts.iter().flat_map(|part| part["required"].as_array().into_iter().flatten());
            if let Some(missing) = required.filter_map(Value::as_str).find(|name| !entries.contains_key(*name)) {
                return Err(format!("{place} lacks {missing}"));
            }
            for (key, inner) in entries {
                match parts.iter().find_map(|part| part["properties"].get(key)) {
                    Some(described) => check(description, described, inner, &format!("{place}.{key}"))?,
                    None if parts.iter().any(|part| part.get("additionalProperties").is_some()) => {}
                    None => return Err(format!("{place}.{key} is not described")),
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| check(description, &schema["items"], item, place)),
        _ => Ok(()),
    }
}

fn resolved<'a>(description: &'a Value, schema: &'a Value) -> &'a Value {
    schema["$ref"].as_str().map_or(schema, |reference| description.pointer(reference.trim_start_matches('#')).unwrap())
}
