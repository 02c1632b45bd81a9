//! Calls that events and spans tell of count once.

use serde_json::{Value, json};

use crate::support::{TestApp, span, with};

const DAY: &str = "datetime_from=2026-02-02&datetime_to=2026-02-02&aggregation_level=day";

fn event(name: &str, conversation: &str, time: &str, data: Value) -> Value {
    json!({"event": name, "time_utc": time, "conversation_id": conversation, "data": data})
}

/// `both` is told by both; of `late` an event tells the end, on the next day, and spans the turns; `only` is in spans.
async fn app_with_both(name: &str) -> TestApp {
    let app = TestApp::start(name).await;
    let at = |time: &str| time.parse().unwrap();
    let of = |conversation: &str, attributes: Value| with(json!({"gen_ai.conversation.id": conversation}), attributes);
    let call = json!({"voice_part": "call", "outcome": "abandoned"});
    let turn = |first_audio: u64| json!({"voice_part": "turn", "first_audio_ms": first_audio, "interrupted": true});
    app.store_spans(&[
        span(1, 0, at("2026-02-02T09:00:00Z"), 60_000, &of("both", call.clone())),
        span(1, 1, at("2026-02-02T09:00:10Z"), 100, &of("both", turn(5_000))),
        span(1, 2, at("2026-02-02T09:00:10Z"), 100, &of("both", json!({"lk.response.ttft": 0.5}))),
        span(2, 0, at("2026-02-02T23:58:00Z"), 240_000, &of("late", call.clone())),
        span(2, 1, at("2026-02-02T23:59:00Z"), 100, &of("late", turn(2_000))),
        span(3, 0, at("2026-02-02T11:00:00Z"), 10_000, &of("only", call.clone())),
        span(3, 1, at("2026-02-02T11:00:01Z"), 100, &of("only", turn(1_000))),
        // It names no conversation, so it is one of its own.
        span(4, 0, at("2026-02-02T12:00:00Z"), 10_000, &call),
    ])
    .await;
    app.store(&[
        event(
            "voice_turn",
            "both",
            "2026-02-02T09:00:10Z",
            json!({"first_audio_ms": 4_000, "interrupted": false, "model_ms": 700}),
        ),
        event(
            "voice_call_ended",
            "both",
            "2026-02-02T09:01:00Z",
            json!({"outcome": "contained", "duration_ms": 61_000}),
        ),
        event("voice_call_ended", "late", "2026-02-03T00:02:00Z", json!({"outcome": "contained"})),
        // Nobody can know which call that was.
        json!({"event": "voice_call_ended", "time_utc": "2026-02-02T13:00:00Z", "data": {"outcome": "contained"}}),
    ])
    .await;
    app
}

async fn values(app: &TestApp, chart: &str) -> Value {
    let chart = app.get(&format!("/api/v1/voice-agents/charts/{chart}&{DAY}&verify=true")).await;
    assert_eq!(chart["meta"]["verification"]["different"], 0, "{}", chart["meta"]);
    let series = chart["series"].as_array().unwrap();
    series.iter().map(|series| (series["id"].as_str().unwrap().to_owned(), series["data"][0].clone())).collect()
}

#[tokio::test]
async fn what_events_tell_goes_before_what_spans_tell() {
    let app = app_with_both("voice_both").await;
    assert_eq!(values(&app, "calls?").await, json!({"abandoned": 2, "contained": 2}));
    assert_eq!(values(&app, "calls?told_by=events").await, json!({"contained": 2}));
    assert_eq!(values(&app, "calls?told_by=spans").await, json!({"abandoned": 4}));
    assert_eq!(values(&app, "calls?split_by=told_by").await, json!({"events": 2, "spans": 2}));
    // Of `late`, turns are told by spans alone.
    assert_eq!(values(&app, "interruption-rate?").await, json!({"interruption_rate": 2.0 / 3.0}));
    assert_eq!(values(&app, "interruption-rate?told_by=spans").await, json!({"interruption_rate": 1.0}));
    let latency = values(&app, "response-latency?").await;
    assert_eq!((&latency["first_audio_p50"], &latency["model_p50"]), (&json!(2_000.0), &json!(700.0)));
    assert_eq!(values(&app, "dead-air?").await, json!({"dead_air": 1.0 / 3.0}));
    // A filter does not bring back what an event tells otherwise.
    assert_eq!(values(&app, "calls?outcomes=abandoned").await, json!({"abandoned": 2}));
}

#[tokio::test]
async fn answers_say_so_and_tables_and_totals_do_the_same() {
    let app = app_with_both("voice_both_tables").await;
    let chart = app.get(&format!("/api/v1/voice-agents/charts/calls?{DAY}")).await;
    assert_eq!(chart["meta"]["source"], "voice_facts");
    assert!(chart["meta"]["notes"].to_string().contains("Events and spans tell of this range"));
    let of_events = app.get(&format!("/api/v1/voice-agents/charts/calls?{DAY}&told_by=events")).await;
    assert_eq!(of_events["meta"]["source"], "voice_1h");
    assert!(!of_events["meta"]["notes"].to_string().contains("Events and spans"));
    let range = "datetime_from=2026-02-02&datetime_to=2026-02-02";
    let calls = app.get(&format!("/api/v1/voice-agents/calls?{range}")).await;
    let shown: Vec<Value> = calls["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| json!([call["conversation_id"], call["told_by"], call["turns"], call["first_audio_p50_ms"]]))
        .collect();
    assert_eq!(
        shown,
        [
            json!([null, "events", 0, null]),
            json!([null, "spans", 0, null]),
            json!(["only", "spans", 1, 1_000.0]),
            json!(["both", "events", 1, 4_000.0])
        ]
    );
    let of_spans = app.get(&format!("/api/v1/voice-agents/calls?{range}&told_by=spans")).await;
    assert_eq!((&of_spans["page"]["total"], &of_spans["items"][3]["first_audio_p50_ms"]), (&json!(4), &json!(5_000.0)));
    let totals = app.get(&format!("/api/v1/voice-agents/totals?{range}&verify=true")).await;
    assert_eq!(totals["meta"]["verification"]["different"], 0);
    let card =
        |id: &str| totals["totals"].as_array().unwrap().iter().find(|card| card["id"] == id).unwrap()["value"].clone();
    assert_eq!(["calls", "turns", "calls_without_end"].map(card), [json!(4), json!(3), json!(0)]);
}

#[tokio::test]
async fn two_days_show_as_much_as_each_of_them() {
    let app = app_with_both("voice_both_days").await;
    let chart = app.get("/api/v1/voice-agents/charts/calls?datetime_from=2026-02-02&datetime_to=2026-02-03&aggregation_level=day&split_by=told_by").await;
    assert_eq!(chart["series"][0]["data"], json!([2, 1]));
    assert_eq!(chart["series"][1]["data"], json!([2, 0]));
}
