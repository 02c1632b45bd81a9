use serde_json::{Value, json};

use crate::support::{TestApp, json_of, sign, span, with};

const DAY: &str = "datetime_from=2026-02-02&datetime_to=2026-02-02&aggregation_level=day";

/// A run that works, one that fails, and one whose root is itself a call of a model.
async fn app_with_runs(name: &str) -> TestApp {
    let app = TestApp::start(name).await;
    let start = "2026-02-02T10:00:00Z".parse().unwrap();
    let agent = |code: &str| json!({"gen_ai.agent.name": code, "gen_ai.operation.name": "invoke_agent"});
    let call = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-5",
        "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 200, "gen_ai.usage.cache_read.input_tokens": 400,
        "gen_ai.usage.cost": 0.004_92,
    });
    // An agent repeats what its children used.
    let repeats =
        json!({"gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 200, "gen_ai.usage.cost": 0.004_92});
    app.store_spans(&[
        span(1, 0, start, 2_000, &with(agent("triage"), repeats)),
        span(1, 1, start, 1_500, &with(call.clone(), json!({"gen_ai.agent.name": "triage"}))),
        with(span(2, 0, start, 900, &agent("answers")), json!({"status": {"code": 2}})),
        with(
            span(2, 1, start, 900, &with(agent("answers"), json!({"error.type": "timeout"}))),
            json!({"status": {"code": 1}}),
        ),
        span(3, 0, start, 700, &with(call, json!({"gen_ai.response.model": "unknown-model", "gen_ai.usage.cost": 0}))),
    ])
    .await;
    app
}

async fn values(app: &TestApp, chart: &str) -> Value {
    values_of(&app.get(&format!("/api/v1/assistants/charts/{chart}{DAY}")).await)
}

fn values_of(chart: &Value) -> Value {
    let series = chart["series"].as_array().unwrap();
    series.iter().map(|series| (series["id"].as_str().unwrap().to_owned(), series["data"].clone())).collect()
}

#[tokio::test]
async fn runs_are_root_spans_and_only_calls_use_tokens_and_money() {
    let app = app_with_runs("assistant_charts").await;
    assert_eq!(values(&app, "runs?").await, json!({"runs": [3]}));
    assert_eq!(values(&app, "runs?split_by=assistant&").await, json!({"answers": [1], "none": [1], "triage": [1]}));
    assert_eq!(values(&app, "runs?split_by=status&").await, json!({"ERROR": [1], "UNSET": [2]}));
    assert_eq!(values(&app, "error-rate?").await, json!({"error_rate": [1.0 / 3.0]}));
    assert_eq!(values(&app, "error-rate?assistant_codes=answers&").await, json!({"error_rate": [1.0]}));
    assert_eq!(values(&app, "tokens?").await, json!({"tokens": [2_400]}));
    assert_eq!(values(&app, "tokens?tokens=cached_input&").await, json!({"cached_input_tokens": [800]}));
    assert_eq!(
        values(&app, "tokens?tokens=output&split_by=model&").await,
        json!({"gpt-5": [200], "unknown-model": [200]})
    );
    assert_eq!(values(&app, "cost?").await, json!({"cost": [0.004_92]}));
}

#[tokio::test]
async fn absurd_costs_break_no_chart() {
    let app = TestApp::start("assistant_absurd").await;
    let start = "2026-02-02T10:00:00Z".parse().unwrap();
    let call = |trace: u64, code: &str, cost: f64| {
        let attributes = json!({"gen_ai.operation.name": "chat", "gen_ai.agent.name": code, "gen_ai.usage.cost": cost});
        span(trace, 0, start, 10, &attributes)
    };
    let most = (0..40).map(|trace| call(trace, if trace % 2 == 0 { "a" } else { "b" }, 999_999_999.0));
    let spans: Vec<Value> = most.chain([call(40, "c", -5.0), call(41, "c", 0.5)]).collect();
    app.store_spans(&spans).await;
    for query in ["cost?", "cost?split_by=assistant&", "cost?split_by=assistant&top=1&compare=previous_period&"] {
        let values = values(&app, query).await;
        let largest = values.as_object().unwrap().values().map(|data| data[0].as_f64().unwrap()).fold(0.0, f64::max);
        assert!((18e9..19e9).contains(&largest), "{query}: {values}");
    }
    assert_eq!(values(&app, "cost?assistant_codes=c&").await, json!({"cost": [0.5]}));
}

#[tokio::test]
async fn a_wait_that_cannot_be_is_none() {
    let app = TestApp::start("assistant_waits").await;
    let start = "2026-02-02T10:00:00Z".parse().unwrap();
    let call = |trace: u64, seconds: f64| {
        let attributes = json!({"gen_ai.operation.name": "chat", "gen_ai.response.time_to_first_chunk": seconds});
        span(trace, 0, start, 10, &attributes)
    };
    app.store_spans(&[call(1, 0.5), call(2, 1e306), call(3, 1e300), call(4, 86_401.0), call(5, -1.0)]).await;
    assert_eq!(values(&app, "time-to-first-token?").await["p99"], json!([500.0]));
    let long = app.get("/api/v1/assistants/charts/time-to-first-token?datetime_from=2026-01-01&datetime_to=2026-03-01&aggregation_level=year").await;
    let p99 = values_of(&long)["p99"][0].as_f64().unwrap();
    assert!((495.0..505.0).contains(&p99), "{p99}");
}

#[tokio::test]
async fn quantiles_are_of_runs_that_have_ended() {
    let app = app_with_runs("assistant_latency").await;
    let start = "2026-02-02T11:00:00Z".parse().unwrap();
    let endless = with(span(4, 0, start, 0, &json!({"gen_ai.agent.name": "triage"})), json!({"endTimeUnixNano": "0"}));
    app.store_spans(&[endless]).await;
    // Runs of 700, 900 and 2,000 ms.
    let all = values(&app, "latency?").await;
    assert_eq!((&all["p50"], &all["p75"]), (&json!([900.0]), &json!([1_450.0])));
    assert_eq!(all.as_object().unwrap().keys().collect::<Vec<_>>(), ["p50", "p75", "p90", "p95", "p99"]);
    let by_assistant = values(&app, "latency?split_by=assistant&quantile=p50&").await;
    assert_eq!(by_assistant, json!({"answers": [900.0], "none": [700.0], "triage": [2_000.0]}));
    let with_rest = values(&app, "latency?split_by=assistant&quantile=p50&top=1&").await;
    assert_eq!(with_rest, json!({"none": [700.0], "other": [1_450.0]}));
    assert_eq!(values(&app, "time-to-first-token?").await["p50"], json!([null]));
}

#[tokio::test]
async fn an_empty_text_is_no_value() {
    let app = app_with_runs("assistant_filters").await;
    assert_eq!(values(&app, "runs?filter=assistant_code:is_null&").await, json!({"runs": [1]}));
    assert_eq!(values(&app, "runs?filter=assistant_code:is_not_null&").await, json!({"runs": [2]}));
    assert_eq!(values(&app, "runs?filter=assistant_code:ne:triage&").await, json!({"runs": [2]}));
    assert_eq!(values(&app, "runs?filter=duration_ms:gte:900&").await, json!({"runs": [2]}));
    assert_eq!(values(&app, "runs?filter=attributes.gen_ai.agent.name:eq:triage&").await, json!({"runs": [1]}));
}

#[tokio::test]
async fn a_reader_sees_the_runs_of_granted_profiles_only() {
    let app = TestApp::start("assistant_grants").await;
    let start = "2026-02-02T10:00:00Z".parse().unwrap();
    let of = |trace, profile: &str| span(trace, 0, start, 10, &json!({"profile_code": profile}));
    app.store_spans(&[of(1, "support"), of(2, "sales"), span(3, 0, start, 10, &json!({}))]).await;
    let mut claims = app.claims();
    claims.grants = [("profile_code".to_owned(), vec!["sales".to_owned()])].into();
    let path = format!("/api/v1/assistants/charts/runs?{DAY}");
    let response = app.request(&path).bearer_auth(sign(&claims)).send().await.unwrap();
    assert_eq!(values_of(&json_of(response).await), json!({"runs": [1]}));
}
