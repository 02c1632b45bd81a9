//! A call as LiveKit Agents tells it; `tests/data/otlp/livekit-agents.py` says how the spans were made. And names of
//! OpenTelemetry's drafts, as documents of tests have them: nobody sends them yet.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{TestApp, span, with};

const CALL: &[u8] = include_bytes!("../../data/otlp/livekit-agents.pb");
const DAY: &str = "datetime_from=2026-02-02&datetime_to=2026-02-02";

async fn app_with_call(name: &str) -> TestApp {
    let app = TestApp::start(name).await;
    let request = app.post("/v1/traces").bearer_auth(app.token()).header("content-type", "application/x-protobuf");
    assert_eq!(request.body(CALL).send().await.unwrap().status(), StatusCode::OK);
    app.intake.settled().await;
    app
}

async fn rows(app: &TestApp, columns: &str, condition: &str) -> Vec<Value> {
    let sql = format!(
        "SELECT toJSONString(tuple({columns})) FROM {}_analytics.assistants_tracing_spans WHERE {condition} ORDER BY start_time, name",
        app.account
    );
    let rows: Vec<String> = app.clickhouse.fetch(&sql).await.unwrap();
    rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

#[tokio::test]
async fn its_session_is_a_call_and_its_turns_and_waits_are_known() {
    let app = app_with_call("livekit").await;
    let columns = "name, voice_part, round(first_audio_ms), round(speech_to_text_ms), round(model_ms), \
        round(text_to_speech_ms), interrupted, conversation_id, assistant_code";
    let condition =
        "voice_part != '' OR speech_to_text_ms IS NOT NULL OR model_ms IS NOT NULL OR text_to_speech_ms IS NOT NULL";
    let room = "RM_capture";
    assert_eq!(
        rows(&app, columns, condition).await,
        [
            json!(["agent_session", "call", null, null, null, null, null, room, "default_agent"]),
            json!(["agent_turn", "turn", 587, 51, null, null, false, room, "default_agent"]),
            json!(["llm_node", "", null, null, 123, null, null, room, "default_agent"]),
            json!(["tts_node", "", null, null, null, 83, null, room, "default_agent"]),
            json!(["agent_turn", "turn", 585, 51, null, null, true, room, "default_agent"]),
            json!(["llm_node", "", null, null, 122, null, null, room, "default_agent"]),
            json!(["tts_node", "", null, null, null, 82, null, room, "default_agent"]),
            // Nobody waited for the goodbye.
            json!(["agent_turn", "turn", null, null, null, null, false, room, "default_agent"]),
            json!(["llm_node", "", null, null, 121, null, null, room, "default_agent"]),
            json!(["tts_node", "", null, null, null, 84, null, room, "default_agent"]),
        ]
    );
}

#[tokio::test]
async fn every_answer_knows_the_call() {
    let app = app_with_call("livekit_answers").await;
    let latency = app.get(&format!("/api/v1/voice-agents/charts/response-latency?{DAY}&aggregation_level=day")).await;
    let rounded: Vec<(String, f64)> = latency["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| (series["id"].as_str().unwrap().to_owned(), series["data"][0].as_f64().unwrap().round()))
        .collect();
    let named = |name: &str| rounded.iter().find(|(id, _)| id == name).unwrap().1;
    assert_eq!(rounded.len(), 8);
    assert_eq!((named("first_audio_p50"), named("speech_to_text_p50")), (586.0, 51.0));
    assert_eq!((named("model_p50"), named("text_to_speech_p50")), (122.0, 83.0));
    let calls = app.get(&format!("/api/v1/voice-agents/calls?{DAY}")).await;
    let call = &calls["items"][0];
    assert_eq!(calls["page"]["total"], 1);
    assert_eq!(
        (&call["told_by"], &call["conversation_id"], &call["turns"], &call["interrupted_turns"], &call["outcome"]),
        (&json!("spans"), &json!("RM_capture"), &json!(3), &json!(1), &json!(null))
    );
    assert_eq!(call["assistant_code"], "default_agent");
    assert_eq!((&call["profile_code"], &call["assistant_version"]), (&json!("support"), &json!("2.1.0")));
    assert_eq!(call["duration_ms"].as_f64().unwrap().round(), 9_393.0);
    let trace = app.get(&format!("/api/v1/assistants/traces/{}", call["trace_id"].as_str().unwrap())).await;
    assert_eq!(trace["spans"][0]["name"], "agent_session");
    // How it went LiveKit does not tell, so no share of it is known.
    let totals = app.get(&format!("/api/v1/voice-agents/totals?{DAY}&verify=true")).await;
    assert_eq!(totals["meta"]["verification"]["different"], 0);
    let card =
        |id: &str| totals["totals"].as_array().unwrap().iter().find(|card| card["id"] == id).unwrap()["value"].clone();
    assert_eq!(
        ["calls", "containment_rate", "calls_without_outcome", "calls_without_end", "turns", "turns_without_latency"]
            .map(card),
        [json!(1), json!(null), json!(1), json!(0), json!(3), json!(1)]
    );
}

#[tokio::test]
async fn only_attributes_that_fill_a_column_count_as_covering_it() {
    let app = app_with_call("livekit_coverage").await;
    let freshness = app.get("/api/v1/freshness").await;
    let coverage = freshness["coverage"].as_array().unwrap();
    let counted = |column: &str, attribute: &str| {
        let is_it = |count: &&Value| count["column"] == column && count["attribute"] == attribute;
        coverage.iter().find(is_it).and_then(|count| count["spans"].as_u64())
    };
    assert_eq!(counted("first_audio_ms", "lk.e2e_latency"), Some(2));
    assert_eq!(counted("interrupted", "lk.interrupted"), Some(3));
    assert_eq!(counted("model_ms", "lk.response.ttft"), Some(3));
    // Of four spans that tell it, two are turns of the caller.
    assert_eq!(counted("speech_to_text_ms", "lk.transcription_delay"), Some(2));
}

#[tokio::test]
async fn drafts_of_opentelemetry_and_plain_names_are_understood() {
    let app = TestApp::start("voice_drafts").await;
    let start = "2026-02-02T10:00:00Z".parse().unwrap();
    let of = |operation: &str| json!({"gen_ai.operation.name": operation});
    let first_chunk = json!({"gen_ai.response.time_to_first_chunk": 0.25});
    let turn = json!({
        "voice_part": "turn", "first_audio_ms": 900, "speech_to_text_ms": 100, "model_ms": "450.5", "text_to_speech_ms": -1,
        "interrupted": "true", "outcome": "contained",
    });
    let call = json!({"voice_part": "call", "call.outcome": "transferred", "transfer_reason": "asked", "direction": "inbound"});
    app.store_spans(&[
        span(1, 0, start, 5_000, &call),
        span(1, 1, start, 400, &of("speech_to_text")),
        span(1, 2, start, 300, &with(of("text_to_speech"), first_chunk.clone())),
        span(1, 3, start, 300, &of("text_to_speech")),
        span(1, 4, start, 800, &with(of("realtime_inference"), first_chunk)),
        span(1, 5, start, 800, &turn),
        // Plain names anywhere else are something else.
        span(2, 0, start, 10, &json!({"outcome": "ok", "interrupted": true, "model_ms": 5, "first_audio_ms": 5})),
        span(3, 0, start, 10, &json!({"voice_part": "turn", "first_audio_ms": 86_400_001})),
    ])
    .await;
    let columns = "voice_part, first_audio_ms, speech_to_text_ms, model_ms, text_to_speech_ms, interrupted, outcome, transfer_reason, direction";
    let mut told = rows(&app, &format!("span_id, {columns}"), "true").await;
    told.sort_by_key(|row| row[0].as_str().unwrap().to_owned());
    let told: Vec<Value> = told.iter().map(|row| json!(row.as_array().unwrap()[1..])).collect();
    let none = Value::Null;
    assert_eq!(
        told,
        [
            json!(["call", none, none, none, none, none, "transferred", "asked", "inbound"]),
            json!(["", none, 400, none, none, none, "", "", ""]),
            json!(["", none, none, none, 250, none, "", "", ""]),
            json!(["", none, none, none, 300, none, "", "", ""]),
            json!(["turn", 250, none, none, none, none, "", "", ""]),
            json!(["turn", 900, 100, 450.5, none, true, "", "", ""]),
            json!(["", none, none, none, none, none, "", "", ""]),
            json!(["turn", none, none, none, none, none, "", "", ""]),
        ]
    );
}
