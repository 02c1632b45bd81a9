//! The examples of the OpenAPI document: each is sent, and answered as it says.

use std::path::PathBuf;

use chartwell::openapi::Example;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::product;
use crate::support::{TestApp, Via, message, recommendation, span, with};

fn file_of(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("openapi/examples/{name}.json"))
}

/// The names of all operations, as `<tag>/<operation>`.
fn operations() -> Vec<String> {
    let description = serde_json::to_value(chartwell::app::description()).unwrap();
    let items = description["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let name = |operation: &Value| {
        let (id, tag) = (operation["operationId"].as_str().unwrap(), operation["tags"][0].as_str().unwrap());
        format!("{tag}/{}", &id[tag.len() + 1..])
    };
    items.map(name).collect()
}

#[test]
fn every_operation_has_an_example_that_the_document_shows() {
    let description = serde_json::to_value(chartwell::app::description()).unwrap();
    let names = operations();
    for name in &names {
        let example = Example::of(name).unwrap_or_else(|| panic!("openapi/examples/{name}.json is missing"));
        assert!(!example.answer.is_null(), "{name}: run with UPDATE_FIXTURES=1");
        let shown = example.answer.to_string();
        assert!(description.to_string().contains(&format!("\"example\":{shown}")), "{name}");
    }
    let unique: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
}

/// A few events on three days: what the examples ask about.
fn events() -> Vec<Value> {
    let mut events = Vec::new();
    for (day, count) in [("2026-01-31", 2), ("2026-02-02", 5), ("2026-02-03", 4)] {
        for number in 0..count {
            let agent = ["Sam de Vries", "Noor Haddad", "Ida Lund"][number % 3];
            let agent = json!({"agent_id": format!("agent-{}", 17 + number % 3), "agent_name": agent});
            let agent =
                if number == 3 { with(agent, json!({"profile_code": "sales", "platform": "web"})) } else { agent };
            let time = format!("{day}T{:02}:30:00Z", 9 + number);
            let mut sent = Vec::new();
            for (rank, source) in ["trie", "trie", "gpt", "search-default"].into_iter().enumerate() {
                events.push(with(recommendation("Shown", &time, source), agent.clone()));
                if (number + rank) % 3 == 0 {
                    events.push(with(recommendation("Accepted", &time, source), agent.clone()));
                    sent.push((source, 12 + 7 * rank as u32, source == "gpt"));
                }
            }
            events.push(with(message(&time, &sent), agent));
        }
    }
    events
}

/// Calls of a reception on two days, each with its turns.
fn voice_events() -> Vec<Value> {
    let mut events = Vec::new();
    for (day, calls) in [("2026-02-02", 6), ("2026-02-03", 4)] {
        for number in 0..calls {
            let (hour, conversation) = (9 + number, format!("call-{day}-{number}"));
            let event = |name: &str, minute: u64, data: Value| {
                let data = with(
                    json!({"assistant_id": "reception", "assistant_version": "2.1.0", "direction": "inbound"}),
                    data,
                );
                let profile = if number % 3 == 0 { "sales" } else { "support" };
                json!({
                    "event": name, "time_utc": format!("{day}T{hour:02}:{minute:02}:00Z"), "profile_code": profile, "platform": "phone",
                    "visitor_id": format!("{:064x}", 0xca11 + number), "conversation_id": conversation, "data": data,
                })
            };
            for turn in 0..3 {
                let (model, is_slow) = (420 + 35 * number + 20 * turn, number == 4 && turn == 2);
                events.push(event("voice_turn", 10 + turn, json!({
                    "speech_to_text_ms": 180, "model_ms": model, "text_to_speech_ms": 140, "interrupted": turn == 1 && number % 2 == 0,
                    "first_audio_ms": if is_slow { 3_600 } else { 340 + model },
                })));
            }
            let (outcome, reason) =
                [("contained", None), ("transferred", Some("asked_for_a_person")), ("abandoned", None)]
                    [number as usize % 3];
            let duration = 95_000 + 12_500 * number;
            let ended = event(
                "voice_call_ended",
                14,
                json!({"duration_ms": duration, "outcome": outcome, "transfer_reason": reason}),
            );
            // The example shows it.
            let id = format!("0198c2f4-6d3e-7a10-b5c8-{:012x}", events.len());
            events.push(with(ended, json!({"event_id": id})));
        }
    }
    events
}

/// Exposures of visitors to two tones of an assistant, and what some of them bought.
fn experiment_events() -> Vec<Value> {
    let event = |name: &str, visitor: usize, day: usize, data: Value| {
        let time = format!("2026-02-{day:02}T{:02}:20:00Z", 8 + visitor % 12);
        json!({"event": name, "time_utc": time, "profile_code": "support", "platform": "web", "visitor_id": format!("visitor-{visitor:04}"), "data": data})
    };
    (0..60)
        .flat_map(|visitor| {
            let variant = if visitor % 2 == 0 { "control" } else { "friendly" };
            let exposure = json!({"experiment_id": "reply-tone", "variant": variant, "assistant_id": "answers"});
            let has_bought = visitor % 5 == 0 || visitor % 7 == 1;
            let sale = event("purchase", visitor, 3 + visitor % 3, json!({"price": 20 + visitor % 9}));
            // Some of them talked to an assistant.
            let conversation = json!({"conversation_id": format!("conversation-{}", visitor % 60)});
            [Some(with(event("exposure", visitor, 2, exposure), conversation)), has_bought.then_some(sale)]
        })
        .flatten()
        .collect()
}

/// What both variants did within a minute.
fn interactions() -> Vec<Value> {
    let time = "2026-02-03T15:59:00Z";
    let told = |number: u64| {
        let outcome = if number % 40 < 2 { "failed" } else { "success" };
        let variant = if number.is_multiple_of(2) { "control" } else { "friendly" };
        let data = json!({
            "experiment_id": "reply-tone", "variant": variant, "outcome": outcome, "latency_ms": 400 + 7 * (number % 100),
        });
        json!({"event": "interaction", "time_utc": time, "data": data})
    };
    (0..800).map(told).collect()
}

/// Runs of two assistants on two days, each with a call of a model.
fn spans() -> Vec<Value> {
    let mut spans = Vec::new();
    for (day, runs) in [("2026-02-02", 6), ("2026-02-03", 4)] {
        for number in 0..runs {
            let start = format!("{day}T{:02}:15:00Z", 9 + number).parse().unwrap();
            let trace = spans.len() as u64;
            let assistant = json!({
                "gen_ai.agent.name": if number % 2 == 0 { "triage" } else { "answers" }, "gen_ai.agent.version": "1.4.0",
                "deployment.environment.name": "production", "gen_ai.conversation.id": format!("conversation-{}", number / 2),
                "user.id": format!("{:064x}", 0xfeed + number % 3),
            });
            let run = with(assistant.clone(), json!({"gen_ai.operation.name": "invoke_agent"}));
            let call = json!({
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
                "gen_ai.response.model": if number % 2 == 0 { "gpt-5-mini" } else { "gpt-5" }, "gen_ai.usage.input_tokens": 1_200 + 100 * number,
                "gen_ai.usage.output_tokens": 180, "gen_ai.usage.cost": 0.004_5 + 0.000_5 * number as f64,
                "gen_ai.response.time_to_first_chunk": 0.3 + 0.05 * number as f64,
            });
            let failed = with(run.clone(), json!({"error.type": "timeout"}));
            spans.push(span(trace, 0, start, 2_400 + 150 * number as u64, if number == 4 { &failed } else { &run }));
            spans.push(span(trace, 1, start, 1_900, &with(assistant.clone(), call)));
            let tool = json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": if number == 0 { "lookup" } else { "search" }});
            let tool = if number == 4 { with(tool, json!({"error.type": "timeout"})) } else { tool };
            spans.push(span(trace, 2, start, 120 + 40 * number as u64, &with(assistant, tool)));
        }
    }
    spans
}

/// Visits of a few users on days of two weeks.
fn product_events() -> Vec<Value> {
    let mut events = Vec::new();
    for (day, users) in [("2026-01-27", 4), ("2026-02-01", 2), ("2026-02-02", 6), ("2026-02-03", 5)] {
        for user in 0..users {
            let event = |minute: u64, name: &str, route: &str, payload: Value| {
                json!({
                    "name": name, "schema_version": "2026-05-telemetry-v1", "org_id_hash": format!("{:064x}", 0xacce + user % 2),
                    "session_id": format!("session-{day}-u{user:08}"), "anonymous_user_id": format!("visitor-u{user:015x}"),
                    "route_pattern": route, "source": if user % 3 == 2 { "desktop" } else { "web" },
                    "occurred_at": format!("{day}T{:02}:{minute:02}:00Z", 9 + user), "payload": payload,
                })
            };
            events.push(event(0, "page_viewed", "/", json!({})));
            events.push(event(1, "page_viewed", "/reports", json!({"previous_route_pattern": "/"})));
            if user % 4 != 3 {
                events.push(event(
                    2,
                    "filter_changed",
                    "/reports",
                    json!({"view": "reports", "filter_key": "team", "value_count": 1 + user % 3}),
                ));
            }
            if user % 2 == 0 {
                events.push(event(4, "feature_viewed", "/reports", json!({"feature": "export", "surface": "menu"})));
                events.push(event(5, "page_viewed", "/reports/:id", json!({"previous_route_pattern": "/reports"})));
                events.push(event(
                    6,
                    "chart_interacted",
                    "/reports/:id",
                    json!({"chart": "volume", "action": "zoom", "surface": "report"}),
                ));
            }
            if user == 4 {
                events.push(event(
                    7,
                    "client_error",
                    "/reports/:id",
                    json!({"boundary": "chart", "error_class": "TypeError"}),
                ));
                events.push(event(
                    8,
                    "feature_viewed",
                    "/reports/:id",
                    json!({"feature": "share", "surface": "toolbar"}),
                ));
            }
            if user != 5 {
                let told = json!({"duration_ms": 540_000 + 60_000 * user, "pages_viewed": 2 + (user + 1) % 2, "interactions": 1 + user % 3});
                events.push(event(20, "session_ended", "/reports", told));
            }
        }
    }
    events
}

/// What is watched.
const ALERTS: &str = r#"
[channel.ops]
url = "https://hooks.example/alerts"

[[rule]]
name = "assistant-errors"
metric = "assistants.error_rate"
window = "6h"
above = 0.05
recovers_at = 0.03
severity = "page"
summary = "More than 5 % of runs fail."

[[rule]]
name = "fewer-users"
metric = "product.active_users"
window = "day"
compared_with = "7d"
below = -0.2
for = "5m"
channel = "ops"
"#;

#[tokio::test]
async fn every_example_is_answered_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("alerts.toml");
    std::fs::write(&rules, ALERTS).unwrap();
    let mut app = TestApp::start_with("acme", Via::Pipe, |config| config.alerts.alerts = Some(rules)).await;
    product::keep_all(&app).await;
    product::store(&app, &product_events()).await;
    app.store(&events()).await;
    app.store(&voice_events()).await;
    app.store(&experiment_events()).await;
    app.store(&interactions()).await;
    app.store_spans(&spans()).await;
    let assistants = "INSERT INTO acme_admin_db.assistants VALUES ('triage', 'Triage', NULL), ('answers', 'Answers to customers', NULL)";
    app.clickhouse.execute(assistants).await.unwrap();
    let mut watch = app.watch.take().unwrap();
    watch.evaluate("2026-02-03T16:00:05Z".parse().unwrap()).await;
    let mut names = operations();
    // Taken in last: the others are asked about what was there before.
    names.sort_by_key(|name| name.starts_with("ingestion/"));
    for name in names {
        let mut file: Value = serde_json::from_str(&std::fs::read_to_string(file_of(&name)).unwrap()).unwrap();
        let example: Example = serde_json::from_value(file.clone()).unwrap();
        let answer = answer_to(&app, &example, &name).await;
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            file["answer"] = answer.clone();
            std::fs::write(file_of(&name), format!("{}\n", serde_json::to_string_pretty(&file).unwrap())).unwrap();
        } else {
            assert_eq!(answer, example.answer, "{name}: run with UPDATE_FIXTURES=1 when this is meant");
        }
        if let Some(path) = example.request.strip_prefix("GET /api/") {
            let has_csv = csv_of_document(&name);
            let ask = async |accept: &str| {
                let asked = app.request(&format!("/api/{path}")).bearer_auth(app.token()).header("accept", accept);
                asked.send().await.unwrap()
            };
            let response = ask("text/csv").await;
            let content_type = response.headers()["content-type"].to_str().unwrap();
            assert_eq!(content_type.starts_with("text/csv"), has_csv, "{name}: {content_type}");
            assert_eq!(response.status() == StatusCode::NOT_ACCEPTABLE, !has_csv, "{name}");
            for accept in ["text/csv, application/json;q=0.5", "text/csv, */*;q=0.1"] {
                let response = ask(accept).await;
                let wanted = if has_csv { "text/csv; charset=utf-8" } else { "application/json" };
                assert_eq!(response.status(), StatusCode::OK, "{name}: {accept}");
                assert_eq!(response.headers()["content-type"], wanted, "{name}: {accept}");
            }
        }
    }
}

/// Whether the document says that an operation answers with CSV, too.
fn csv_of_document(name: &str) -> bool {
    let id = name.replace(['/', '-'], "_");
    let document = serde_json::to_value(chartwell::app::description()).unwrap();
    let mut operations = document["paths"].as_object().unwrap().values().filter_map(|item| item.get("get"));
    let operation = operations.find(|get| get["operationId"] == id.as_str()).unwrap();
    operation["responses"]["200"]["content"].get("text/csv").is_some()
}

async fn answer_to(app: &TestApp, example: &Example, name: &str) -> Value {
    let (method, path) = example.request.split_once(' ').unwrap();
    let request = match method.parse().unwrap() {
        Method::POST => app.post(path).json(&example.body),
        _ => app.request(path),
    };
    let response = request.bearer_auth(app.token()).send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    assert!(matches!(status, StatusCode::OK | StatusCode::ACCEPTED), "{name}: {status} {text}");
    match serde_json::from_str(&text) {
        Ok(answer) => settled(answer),
        Err(_) => excerpt(&text, &example.answer),
    }
}

/// The answer, with what differs from run to run made the same.
fn settled(mut answer: Value) -> Value {
    for (place, value) in [
        ("/meta/fresh_as_of", json!("2026-02-03T16:00:00.412000Z")),
        ("/meta/query_id", json!("0198c2f4-6d3e-7a10-b5c8-2f61d09e4a77")),
        ("/meta/elapsed_ms", json!(3.1)),
        ("/meta/rows_read", json!(5_120)),
    ] {
        if let Some(found) = answer.pointer_mut(place) {
            *found = value;
        }
    }
    // How old they are depends on the day of the test.
    if let Some(notes) = answer.pointer_mut("/meta/notes").and_then(Value::as_array_mut) {
        notes.retain(|note| note.as_str().is_some_and(|note| !note.starts_with("These rows are kept for")));
    }
    if let Some(tables) = answer.pointer_mut("/tables").and_then(Value::as_array_mut) {
        for table in tables.iter_mut().filter(|table| !table["newest_row"].is_null()) {
            table["newest_row"] = json!("2026-02-03T16:00:00.412000Z");
            (table["lag_ms_p50"], table["lag_ms_p95"]) = (json!(41.5), json!(312.0));
        }
        answer["since"] = json!("2026-02-01T08:00:00Z");
        answer["spool"] = json!({"rows": 0, "bytes": 48_128});
    }
    answer
}

/// Of a text, the lines that the example shows: the same names, whatever their numbers.
fn excerpt(text: &str, shown: &Value) -> Value {
    let name = |line: &str| line.split(['{', ' ']).next().unwrap_or_default().to_owned();
    let Some(shown) = shown.as_str() else { return text.into() };
    assert!(!shown.is_empty() && shown.lines().all(|line| text.lines().any(|told| name(told) == name(line))), "{text}");
    shown.into()
}
