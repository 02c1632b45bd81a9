//! Traces: a list that is read on and on while rows come in, and one of them as a tree.

use chartwell::auth::Claims;
use chrono::{DateTime, Duration, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{TestApp, claims, granted, json_of, sign, span, with};

const DAY: &str = "datetime_from=2026-02-02&datetime_to=2026-02-02";

fn at(minutes: i64) -> DateTime<Utc> {
    "2026-02-02T10:00:00Z".parse::<DateTime<Utc>>().unwrap() + Duration::minutes(minutes)
}

/// The id of the trace that [`span`] gives a number.
fn id_of(trace: u64) -> String {
    span(trace, 0, at(0), 1, &json!({}))["traceId"].as_str().unwrap().to_owned()
}

fn agent() -> Value {
    json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "triage", "profile_code": "sales"})
}

fn call() -> Value {
    json!({
        "gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-5", "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20, "gen_ai.usage.cost": 0.25, "profile_code": "sales",
        "gen_ai.input.messages": "What is my balance?", "gen_ai.output.messages": "It is low.", "http.status": 200,
    })
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|run| run["trace_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_list_is_read_to_its_end_while_runs_come_in() {
    let app = TestApp::start("traces_list").await;
    // Two runs begin at the same time, so that a page may end between them.
    let runs: Vec<Value> = (0..7).map(|trace| span(trace, 0, at(trace as i64 / 2), 100, &agent())).collect();
    app.store_spans(&runs).await;
    let mut seen = Vec::new();
    let mut path = format!("/api/v1/assistants/traces?{DAY}&limit=2");
    loop {
        let page = app.get(&path).await;
        seen.extend(ids(&page));
        // What comes in meanwhile is newer, and moves nothing.
        app.store_spans(&[span(100 + seen.len() as u64, 0, at(500), 100, &agent())]).await;
        let Some(cursor) = page["page"]["next_cursor"].as_str() else { break };
        path = format!("/api/v1/assistants/traces?{DAY}&limit=2&cursor={cursor}");
    }
    let mut wanted: Vec<String> = (0..7).map(id_of).collect();
    assert_eq!(seen.len(), 7);
    assert_eq!(seen[0], wanted[6]);
    seen.sort();
    wanted.sort();
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn a_run_has_what_its_spans_add_up_to() {
    let app = TestApp::start("traces_runs").await;
    app.store_spans(&[
        span(1, 0, at(0), 2_000, &agent()),
        span(1, 1, at(0), 900, &call()),
        with(
            span(1, 2, at(0), 800, &with(call(), json!({"gen_ai.response.model": "gpt-4o"}))),
            json!({"status": {"code": 2}}),
        ),
        span(1, 3, at(0), 50, &json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"})),
        span(2, 0, at(1), 10, &with(agent(), json!({"gen_ai.agent.name": "answers", "error.type": "timeout"}))),
        // Of another day, and never ended.
        with(span(3, 0, at(-1_440), 0, &agent()), json!({"endTimeUnixNano": null})),
    ])
    .await;
    let list = app.get(&format!("/api/v1/assistants/traces?{DAY}")).await;
    assert_eq!(ids(&list), [id_of(2), id_of(1)]);
    let run = &list["items"][1];
    for (field, wanted) in [
        ("assistant_code", json!("triage")),
        ("duration_ms", json!(2_000.0)),
        ("spans", json!(4)),
        ("failed_spans", json!(1)),
        ("calls", json!(2)),
        ("tool_calls", json!(1)),
        ("models", json!(["gpt-4o", "gpt-5"])),
        ("input_tokens", json!(200)),
        ("output_tokens", json!(40)),
        ("cost_usd", json!("0.5")),
        ("profile_code", json!("sales")),
        ("error_type", json!(null)),
    ] {
        assert_eq!(run[field], wanted, "{field}");
    }
    for (filter, wanted) in [
        ("assistant_codes=answers", vec![id_of(2)]),
        ("filter=duration_ms:gte:2000", vec![id_of(1)]),
        ("filter=error_type:is_not_null", vec![id_of(2), id_of(1)]),
        ("filter=attributes.profile_code:eq:sales", vec![id_of(2), id_of(1)]),
        ("filter=attributes.profile_code:eq:none", vec![]),
        // Of any span, all of them of the same one; or of the root.
        ("models=gpt-4o", vec![id_of(1)]),
        ("models=gpt-4o&operations=execute_tool", vec![]),
        ("operations=execute_tool", vec![id_of(1)]),
        ("filter=status_code:eq:ERROR", vec![id_of(1)]),
        ("filter=duration_ms:lt:60", vec![id_of(2), id_of(1)]),
        ("filter_on=root_span&filter=duration_ms:lt:60", vec![id_of(2)]),
        ("filter_on=root_span&models=gpt-4o", vec![]),
    ] {
        assert_eq!(ids(&app.get(&format!("/api/v1/assistants/traces?{DAY}&{filter}")).await), wanted, "{filter}");
    }
    // Whoever may not see attributes may not find them out by filters either.
    let mut blind = app.claims();
    blind.scope = "assistants:read".to_owned();
    let answer = async |path: &str, claims: &Claims| {
        let response = app.request(path).bearer_auth(sign(claims)).send().await.unwrap();
        (response.status().as_u16(), json_of(response).await)
    };
    for path in ["traces", "models", "charts/runs"] {
        let path = format!("/api/v1/assistants/{path}?{DAY}&filter=model:eq:x|attributes.profile_code:starts_with:s");
        let (status, body) = answer(&path, &blind).await;
        assert_eq!((status, &body["code"]), (403, &json!("insufficient_scope")), "{path}");
        assert!(body["detail"].as_str().unwrap().contains("traces:read"), "{body}");
    }
    // A span that may not be read lets nobody find its trace.
    app.store_spans(&[span(2, 1, at(1), 5, &with(call(), json!({"profile_code": "claims"})))]).await;
    let granted = granted(app.claims(), "profile_code", &["sales"]);
    let (_, found) = answer(&format!("/api/v1/assistants/traces?{DAY}&models=gpt-5"), &granted).await;
    assert_eq!(ids(&found), [id_of(1)]);
    assert_eq!(ids(&app.get(&format!("/api/v1/assistants/traces?{DAY}&models=gpt-5")).await), [id_of(2), id_of(1)]);
    let endless = app.get("/api/v1/assistants/traces?datetime_from=2026-02-01&datetime_to=2026-02-01").await;
    assert_eq!((&endless["items"][0]["duration_ms"], &endless["items"][0]["spans"]), (&json!(null), &json!(1)));
    assert_eq!(endless["page"]["next_cursor"], json!(null));
}

#[tokio::test]
async fn a_trace_is_a_tree() {
    let app = TestApp::start("traces_tree").await;
    let seconds = |seconds: i64| at(0) + Duration::seconds(seconds);
    let below = |number: u64, parent: u64, from: i64, to: i64, attributes: &Value| {
        let parent = span(1, parent, at(0), 1, &json!({}))["spanId"].clone();
        let span = span(1, number, seconds(from), (to - from) as u64 * 1_000, attributes);
        with(span, json!({"parentSpanId": parent}))
    };
    let event = json!({"name": "retry", "timeUnixNano": "1770026403000000000", "attributes": [{"key": "why", "value": {"stringValue": "busy"}}]});
    let link = json!({"traceId": "000102030405060708090a0b0c0d0e0f", "spanId": "0001020304050607"});
    app.store_spans(&[
        span(1, 0, seconds(0), 10_000, &agent()),
        with(below(1, 0, 1, 4, &call()), json!({"events": [event], "links": [link]})),
        below(2, 0, 5, 9, &json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"})),
        below(3, 2, 6, 8, &call()),
    ])
    .await;
    let path = format!("/api/v1/assistants/traces/{}", id_of(1));
    let trace = app.get(&path).await;
    let told: Vec<Value> = trace["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| {
            json!([span["depth"], span["offset_ms"], span["duration_ms"], span["self_ms"], span["critical_ms"]])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!([0, 0.0, 10_000.0, 3_000.0, 3_000.0]),
            json!([1, 1_000.0, 3_000.0, 3_000.0, 3_000.0]),
            json!([1, 5_000.0, 4_000.0, 2_000.0, 2_000.0]),
            json!([2, 6_000.0, 2_000.0, 2_000.0, 2_000.0]),
        ]
    );
    assert_eq!(trace["duration_ms"], 10_000.0);
    assert_eq!(
        trace["totals"],
        json!({"spans": 4, "failed_spans": 0, "calls": 2, "tool_calls": 1, "models": ["gpt-5"], "input_tokens": 200, "output_tokens": 40, "cost_usd": "0.5"})
    );
    let call = &trace["spans"][1];
    assert_eq!((&call["input"], &call["output"]), (&json!("What is my balance?"), &json!("It is low.")));
    assert_eq!(call["attributes"]["http"]["status"], 200);
    assert_eq!(
        (&call["events"][0]["name"], &call["events"][0]["attributes"]["why"]),
        (&json!("retry"), &json!("busy"))
    );
    assert_eq!(call["links"][0]["trace_id"], "000102030405060708090a0b0c0d0e0f");

    // Without the scope for it, nothing of what was said.
    let mut claims = claims("traces_tree");
    claims.scope = "assistants:read".to_owned();
    let seen = json_of(app.request(&path).bearer_auth(sign(&claims)).send().await.unwrap()).await;
    let text = seen.to_string();
    assert!(["balance", "It is", "busy", "\"http\""].iter().all(|said| !text.contains(said)), "{text}");
    let call = &seen["spans"][1];
    assert_eq!((&call["cost_usd"], &call["events"][0]["name"]), (&json!("0.25"), &json!("retry")));
    assert!(seen["meta"]["notes"].to_string().contains("traces:read"));
    // And nothing at all of what is not granted.
    claims.grants = [("profile_code".to_owned(), vec!["service".to_owned()])].into();
    let status = app.request(&path).bearer_auth(sign(&claims)).send().await.unwrap().status();
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_no_trace_is_told_so() {
    let app = TestApp::start("traces_none").await;
    let answer = |path: String| {
        let request = app.request(&path).bearer_auth(app.token());
        async move {
            let response = request.send().await.unwrap();
            (response.status().as_u16(), json_of(response).await)
        }
    };
    let (status, body) = answer(format!("/api/v1/assistants/traces/{}", id_of(1))).await;
    assert_eq!((status, &body["code"]), (404, &json!("not_found")));
    for id in ["4bf9", "zz", &"0".repeat(32), "4bf92f3577b34da6a3ce929d0e0e473g", "%00"] {
        let (status, body) = answer(format!("/api/v1/assistants/traces/{id}")).await;
        assert_eq!((status, &body["errors"][0]["parameter"]), (422, &json!("trace_id")), "{id}");
    }
    let (status, body) = answer("/api/v1/assistants/traces?cursor=nonsense".to_owned()).await;
    assert_eq!((status, &body["errors"][0]["parameter"]), (422, &json!("cursor")));
}

#[tokio::test]
async fn deep_and_wide_traces_are_bounded() {
    let app = TestApp::start("traces_deep").await;
    // Each the parent of the next, more than are shown.
    let parent = |number: u64| span(1, number, at(0), 1, &json!({}))["spanId"].clone();
    let chain: Vec<Value> = (0..2_500)
        .map(|number| {
            let span = span(1, number, at(0) + Duration::milliseconds(number as i64), 5_000, &json!({}));
            if number > 0 { with(span, json!({"parentSpanId": parent(number - 1)})) } else { span }
        })
        .collect();
    app.store_spans(&chain).await;
    let trace = app.get(&format!("/api/v1/assistants/traces/{}", id_of(1))).await;
    assert_eq!((trace["spans"].as_array().unwrap().len(), &trace["spans"][1_999]["depth"]), (2_000, &json!(1_999)));
    assert!(trace["meta"]["notes"].to_string().contains("2,000"), "{}", trace["meta"]);
    // Each says so much that not all of it can be shown.
    let talk = json!({"gen_ai.operation.name": "chat", "gen_ai.input.messages": "x".repeat(100_000)});
    let talks: Vec<Value> =
        (0..400).map(|number| span(2, number, at(0) + Duration::seconds(number as i64), 500, &talk)).collect();
    for part in talks.chunks(50) {
        app.store_spans(part).await;
    }
    let trace = app.get(&format!("/api/v1/assistants/traces/{}", id_of(2))).await;
    let spans = trace["spans"].as_array().unwrap();
    let inputs = spans.iter().filter(|span| !span["input"].is_null()).count();
    assert_eq!(spans.len(), 400);
    assert!((50..150).contains(&inputs), "{inputs}");
    assert!(trace["meta"]["notes"].to_string().contains("16 MiB"));
}

#[tokio::test]
async fn what_a_call_without_a_price_cost_is_not_known_and_is_not_nothing() {
    let app = TestApp::start("traces_unpriced").await;
    let call = |model: &str| {
        json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model,
            "gen_ai.usage.input_tokens": 1_000_000})
    };
    let start: DateTime<Utc> = "2026-02-01T12:00:00Z".parse().unwrap();
    let agent = json!({"gen_ai.operation.name": "invoke_agent"});
    let models = [("nobody-sells-this", "nobody-sells-this"), ("nobody-sells-this", "gpt-5")];
    for (trace, (one, other)) in models.into_iter().enumerate() {
        let trace = trace as u64;
        let spans = [
            span(trace, 0, start, 9, &agent),
            span(trace, 1, start, 3, &call(one)),
            span(trace, 2, start, 3, &call(other)),
        ];
        app.store_spans(&spans).await;
    }
    app.store_spans(&[span(2, 0, start, 9, &agent)]).await;
    let list = app.get("/api/v1/assistants/traces?datetime_from=2026-02-01&datetime_to=2026-02-01").await;
    for (trace, cost) in [(0, json!(null)), (1, json!("1.25")), (2, json!("0"))] {
        let id = format!("{:032x}", trace + 1);
        let listed = list["items"].as_array().unwrap().iter().find(|item| item["trace_id"] == id).unwrap();
        let shown = app.get(&format!("/api/v1/assistants/traces/{id}")).await;
        assert_eq!((&listed["cost_usd"], &shown["totals"]["cost_usd"]), (&cost, &cost), "{listed}");
    }
}
