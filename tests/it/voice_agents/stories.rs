//! Two days of a reception, counted by hand.

use serde_json::{Value, json};

use crate::support::{TestApp, granted, json_of, sign, with};

const DAYS: &str = "datetime_from=2026-02-02&datetime_to=2026-02-03&aggregation_level=day";

fn ended(conversation: &str, time: &str, outcome: &str, data: Value) -> Value {
    json!({
        "event": "voice_call_ended", "time_utc": time, "profile_code": "support", "platform": "phone", "conversation_id": conversation,
        "data": with(json!({"outcome": outcome, "assistant_id": "reception", "assistant_version": "2.1", "direction": "inbound"}), data),
    })
}

fn turn(conversation: &str, time: &str, data: Value) -> Value {
    json!({
        "event": "voice_turn", "time_utc": time, "profile_code": "support", "platform": "phone", "conversation_id": conversation,
        "data": with(json!({"assistant_id": "reception", "assistant_version": "2.1"}), data),
    })
}

/// Four calls on the first day and one on the second; one conversation never ends.
async fn app_with_calls(name: &str) -> TestApp {
    let app = TestApp::start(name).await;
    app.store(&[
        turn("a", "2026-02-02T09:00:10Z", json!({"first_audio_ms": 800, "speech_to_text_ms": 200, "model_ms": 400, "text_to_speech_ms": 150, "interrupted": false})),
        turn("a", "2026-02-02T09:00:30Z", json!({"first_audio_ms": 3_000, "interrupted": true})),
        turn("a", "2026-02-02T09:00:50Z", json!({"first_audio_ms": 3_000.5, "interrupted": false})),
        ended("a", "2026-02-02T09:01:00Z", "contained", json!({"duration_ms": 60_000})),
        // Its turns tell nothing.
        turn("b", "2026-02-02T10:00:00Z", json!({})),
        ended("b", "2026-02-02T10:01:00Z", "transferred", json!({"duration_ms": 40_000, "transfer_reason": "asked"})),
        // It has no turns.
        ended("c", "2026-02-02T11:00:00Z", "transferred", json!({"transfer_reason": "asked", "direction": "outbound"})),
        with(
            ended("d", "2026-02-02T12:00:00Z", "abandoned", json!({"duration_ms": -1})),
            json!({"profile_code": "sales", "platform": null}),
        ),
        // It goes on past midnight.
        turn("e", "2026-02-02T23:59:59.999999Z", json!({"first_audio_ms": 5_000, "interrupted": true})),
        ended("e", "2026-02-03T00:00:00Z", "transferred", json!({"duration_ms": 100_000})),
        turn("f", "2026-02-03T08:00:00Z", json!({"first_audio_ms": 1_000, "interrupted": false})),
        turn("f", "2026-02-03T08:00:09Z", json!({"first_audio_ms": 1_200, "interrupted": false})),
    ])
    .await;
    app
}

async fn values(app: &TestApp, chart: &str) -> Value {
    let chart = app.get(&format!("/api/v1/voice-agents/charts/{chart}{DAYS}&verify=true")).await;
    assert_eq!(chart["meta"]["verification"]["different"], 0, "{}", chart["meta"]);
    let series = chart["series"].as_array().unwrap();
    series.iter().map(|series| (series["id"].as_str().unwrap().to_owned(), series["data"].clone())).collect()
}

#[tokio::test]
async fn calls_are_split_by_outcome_unless_something_else_is_named() {
    let app = app_with_calls("voice_calls").await;
    let by_outcome = json!({"contained": [1, 0], "transferred": [2, 1], "abandoned": [1, 0]});
    assert_eq!(values(&app, "calls?").await, by_outcome);
    assert_eq!(values(&app, "calls?split_by=outcome&").await, by_outcome);
    assert_eq!(
        values(&app, "calls?split_by=transfer_reason&outcomes=transferred&").await,
        json!({"asked": [2, 0], "none": [0, 1]})
    );
    assert_eq!(values(&app, "calls?split_by=direction&").await, json!({"inbound": [3, 1], "outbound": [1, 0]}));
    assert_eq!(values(&app, "calls?top=1&").await, json!({"transferred": [2, 1], "other": [2, 0]}));
    assert_eq!(values(&app, "calls?filter=platform:is_null&").await, json!({"abandoned": [1, 0]}));
    assert_eq!(values(&app, "calls?assistant_codes=nobody&").await, json!({}));
    let chart = app.get(&format!("/api/v1/voice-agents/charts/calls?{DAYS}")).await;
    assert_eq!((&chart["meta"]["source"], &chart["meta"]["unit"]), (&json!("voice_1h"), &json!("calls")));
}

#[tokio::test]
async fn shares_have_one_population_each_and_are_null_without_one() {
    let app = app_with_calls("voice_shares").await;
    assert_eq!(values(&app, "containment-rate?").await, json!({"containment_rate": [0.25, 0.0]}));
    assert_eq!(values(&app, "containment-rate?profile_codes=sales&").await, json!({"containment_rate": [0.0, null]}));
    assert_eq!(values(&app, "interruption-rate?").await, json!({"interruption_rate": [0.5, 0.0]}));
    // 3,000 ms are no dead air yet, and who tells no wait is no part of it.
    assert_eq!(values(&app, "dead-air?").await, json!({"dead_air": [0.5, 0.0]}));
    assert_eq!(values(&app, "dead-air?share_of=time&").await, json!({"dead_air": [8_000.5 / 100_000.0, 0.0]}));
    assert_eq!(values(&app, "dead-air?profile_codes=sales&").await, json!({"dead_air": [null, null]}));
}

#[tokio::test]
async fn waits_are_told_by_stage_and_by_group() {
    let app = app_with_calls("voice_waits").await;
    let all = values(&app, "response-latency?").await;
    assert_eq!(all["first_audio_p50"], json!([3_000.25, 1_100.0]));
    assert_eq!((&all["speech_to_text_p50"], &all["model_p95"]), (&json!([200.0, null]), &json!([400.0, null])));
    assert_eq!(all["text_to_speech_p95"], json!([150.0, null]));
    assert_eq!(all.as_object().unwrap().len(), 8);
    let split = values(&app, "response-latency?split_by=assistant&quantile=p50&").await;
    assert_eq!(split, json!({"reception": [3_000.25, 1_100.0]}));
    assert_eq!(values(&app, "response-latency?split_by=platform&stage=model&").await, json!({"phone": [400.0, null]}));
    // A part that nobody tells is null, with a comparison as well.
    let chart = app.get("/api/v1/voice-agents/charts/response-latency?datetime_from=2026-02-03&datetime_to=2026-02-03&aggregation_level=day&compare=previous_period").await;
    let earlier = chart["comparison"]["series"].as_array().unwrap();
    assert_eq!(earlier.iter().find(|series| series["id"] == "model_p50").unwrap()["data"], json!([400.0]));
}

#[tokio::test]
async fn totals_stand_beside_those_of_the_day_before() {
    let app = app_with_calls("voice_totals").await;
    let day = "datetime_from=2026-02-03&datetime_to=2026-02-03";
    let totals = app.get(&format!("/api/v1/voice-agents/totals?{day}&verify=true")).await;
    assert_eq!(totals["meta"]["verification"]["different"], 0);
    let shown: Vec<Value> = totals["totals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|card| json!([card["id"], card["value"], card["previous"]]))
        .collect();
    assert_eq!(
        shown,
        [
            json!(["calls", 1, 4]),
            json!(["containment_rate", 0.0, 0.25]),
            json!(["transfer_rate", 1.0, 0.5]),
            json!(["abandonment_rate", 0.0, 0.25]),
            json!(["duration_mean", 100_000.0, 50_000.0]),
            json!(["turns", 2, 5]),
            json!(["first_audio_p50", 1_100.0, 3_000.25]),
            json!(["first_audio_p95", 1_190.0, 4_700.074_999_999_999]),
            json!(["interruption_rate", 0.0, 0.5]),
            json!(["dead_air_turns", 0.0, 0.5]),
            json!(["dead_air_time", 0.0, 8_000.5 / 100_000.0]),
            json!(["calls_without_end", 1, 0]),
            json!(["calls_without_outcome", 0, 0]),
            json!(["turns_without_latency", 0, 1]),
        ]
    );
    let csv = app
        .request(&format!("/api/v1/voice-agents/totals?{day}"))
        .bearer_auth(app.token())
        .header("accept", "text/csv");
    let csv = csv.send().await.unwrap().text().await.unwrap();
    assert!(csv.contains("calls,Calls,1,count,4,-3,-0.75\r\n"), "{csv}");
}

#[tokio::test]
async fn a_call_shows_how_its_turns_went() {
    let app = app_with_calls("voice_table").await;
    let answer = app.get("/api/v1/voice-agents/calls?datetime_from=2026-02-02&datetime_to=2026-02-03").await;
    assert_eq!(answer["page"]["total"], 5);
    let fields = [
        "conversation_id",
        "outcome",
        "transfer_reason",
        "direction",
        "duration_ms",
        "turns",
        "interrupted_turns",
        "first_audio_p50_ms",
        "dead_air_turns",
        "dead_air_ms",
    ];
    let shown: Vec<Vec<Value>> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| fields.map(|field| call[field].clone()).to_vec())
        .collect();
    let none = Value::Null;
    assert_eq!(
        json!(shown),
        json!([
            // A turn of the day before is one of the call.
            ["e", "transferred", none, "inbound", 100_000.0, 1, 1, 5_000.0, 1, 5_000.0],
            ["d", "abandoned", none, "inbound", none, 0, 0, none, 0, 0.0],
            ["c", "transferred", "asked", "outbound", none, 0, 0, none, 0, 0.0],
            ["b", "transferred", "asked", "inbound", 40_000.0, 1, 0, none, 0, 0.0],
            ["a", "contained", none, "inbound", 60_000.0, 3, 1, 3_000.0, 1, 3_000.5],
        ])
    );
    let sorted = app.get("/api/v1/voice-agents/calls?datetime_from=2026-02-03&datetime_to=2026-02-03&sort=-first_audio_p95_ms&limit=1").await;
    assert_eq!((&sorted["items"][0]["conversation_id"], &sorted["items"][0]["turns"]), (&json!("e"), &json!(1)));
    let one = app
        .get("/api/v1/voice-agents/calls?datetime_from=2026-02-02&datetime_to=2026-02-03&filter=conversation_id:eq:a")
        .await;
    assert_eq!((&one["page"]["total"], &one["items"][0]["turns"]), (&json!(1), &json!(3)));
}

#[tokio::test]
async fn reasons_are_shares_of_all_transferred_calls() {
    let app = app_with_calls("voice_reasons").await;
    let answer =
        app.get(&format!("/api/v1/voice-agents/transfer-reasons?{}", DAYS.replace("&aggregation_level=day", ""))).await;
    assert_eq!(
        answer["items"],
        json!([
            {"transfer_reason": "asked", "calls": 2, "share": 2.0 / 3.0, "share_numerator": 2, "share_denominator": 3, "duration_mean_ms": 40_000.0},
            {"transfer_reason": null, "calls": 1, "share": 1.0 / 3.0, "share_numerator": 1, "share_denominator": 3, "duration_mean_ms": 100_000.0},
        ])
    );
    let page = app
        .get("/api/v1/voice-agents/transfer-reasons?datetime_from=2026-02-02&datetime_to=2026-02-03&limit=1&offset=1")
        .await;
    assert_eq!((&page["page"]["total"], &page["items"][0]["share_denominator"]), (&json!(2), &json!(3)));
}

#[tokio::test]
async fn a_reader_hears_of_granted_profiles_only() {
    let app = app_with_calls("voice_grants").await;
    let token = sign(&granted(app.claims(), "profile_code", &["sales"]));
    for (path, place, wanted) in [
        (format!("charts/calls?{DAYS}"), "/series", json!(1)),
        ("calls?datetime_from=2026-02-02&datetime_to=2026-02-03".to_owned(), "/items", json!(1)),
        ("transfer-reasons?datetime_from=2026-02-02&datetime_to=2026-02-03".to_owned(), "/items", json!(0)),
        (format!("charts/response-latency?{DAYS}&split_by=profile_code"), "/series", json!(0)),
    ] {
        let response = app.request(&format!("/api/v1/voice-agents/{path}")).bearer_auth(&token).send().await.unwrap();
        let body = json_of(response).await;
        assert_eq!(json!(body.pointer(place).unwrap().as_array().unwrap().len()), wanted, "{path}: {body}");
    }
    let outside =
        app.request(&format!("/api/v1/voice-agents/charts/calls?{DAYS}&profile_codes=support")).bearer_auth(&token);
    let response = outside.send().await.unwrap();
    assert_eq!((response.status().as_u16(), json_of(response).await["code"].clone()), (403, json!("outside_grant")));
}

#[tokio::test]
async fn a_grant_that_facts_cannot_tell_is_refused() {
    let app = app_with_calls("voice_other_grants").await;
    for (field, path, status) in [
        ("conversation_id", "calls?range=7d", 403),
        ("conversation_id", "totals?told_by=events", 403),
        ("outcome", "charts/interruption-rate?range=7d", 403),
        ("outcome", "charts/calls?range=7d", 403),
        ("direction", "totals?range=7d", 200),
    ] {
        let token = sign(&granted(app.claims(), field, &["inbound"]));
        let response = app.request(&format!("/api/v1/voice-agents/{path}")).bearer_auth(&token).send().await.unwrap();
        let (shown, body) = (response.status().as_u16(), json_of(response).await);
        assert_eq!(shown, status, "{field} {path}: {body}");
    }
}

#[tokio::test]
async fn what_turns_do_not_have_cannot_be_asked_of_them() {
    let app = TestApp::start("voice_refused").await;
    for (query, allowed) in [
        ("charts/interruption-rate?outcomes=contained", "directions"),
        ("charts/interruption-rate?filter=outcome:eq:contained", "direction"),
        ("charts/containment-rate?split_by=outcome", "assistant"),
        ("charts/calls?told_by=nobody", "auto"),
        ("charts/dead-air?share_of=money", "time"),
        ("charts/response-latency?stage=thinking", "model"),
        ("calls?sort=-nothing", "duration_ms"),
    ] {
        let (status, body) = app.ask(&format!("/api/v1/voice-agents/{query}")).await;
        assert_eq!(status.as_u16(), 422, "{query}: {body}");
        assert!(body["errors"][0]["allowed"].as_array().unwrap().contains(&json!(allowed)), "{query}: {body}");
    }
}
