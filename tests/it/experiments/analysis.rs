//! Several metrics at once: each says what it says alone, p-values are adjusted together, and guardrails count.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use crate::support::{TestApp, json_of};

const ASKED: &str = "/api/v1/experiments/e/analysis?datetime_from=2026-02-01&datetime_to=2026-02-28";

/// 600 visitors of two variants: more of B buy, and more of B complain.
async fn filled(account: &str) -> TestApp {
    let app = TestApp::start(account).await;
    let start: DateTime<Utc> = "2026-02-01T00:00:00Z".parse().unwrap();
    let mut events = Vec::new();
    for visitor in 0..600_u64 {
        let (variant, share) = if visitor % 2 == 0 { ("A", 3) } else { ("B", 6) };
        let told = |event: &str, minutes: u64, data: Value| {
            let time = (start + Duration::minutes((visitor + minutes) as i64)).to_rfc3339();
            json!({"event": event, "time_utc": time, "visitor_id": format!("visitor-{visitor}"), "data": data})
        };
        events.push(told("exposure", 0, json!({"experiment_id": "e", "variant": variant})));
        if visitor / 2 % 10 < share {
            events.push(told("sale", 10, json!({"price": (visitor % 7) as f64 + 0.5, "channel": "web"})));
            events.push(told("visit", 9, json!({})));
        }
        if visitor / 2 % 12 < share {
            events.push(told("complaint", 20, json!({})));
        }
    }
    app.store(&events).await;
    app
}

async fn post(app: &TestApp, path: &str, body: &Value) -> (u16, Value) {
    let response = app.post(path).bearer_auth(app.token()).json(body).send().await.unwrap();
    (response.status().as_u16(), json_of(response).await)
}

#[tokio::test]
async fn each_metric_says_what_it_says_alone() {
    let app = filled("experiments_analysis").await;
    let body = json!({"metrics": [
        {"id": "sales", "goal_event": "sale"},
        {"id": "revenue", "metric_type": "mean", "goal_event": "sale", "value_field": "data.price"},
        {"id": "web sales a visit", "metric_type": "ratio", "goal_event": "sale", "goal_filters": ["data.channel:eq:web"],
         "denominator_event": "visit"},
    ]});
    let (status, together) = post(&app, ASKED, &body).await;
    assert_eq!(status, 200, "{together}");
    let alone = [
        "goal_event=sale",
        "metric_type=mean&goal_event=sale&value_field=data.price",
        "metric_type=ratio&goal_event=sale&goal_filter=data.channel:eq:web&denominator_event=visit",
    ];
    let results = ASKED.replace("/analysis", "/results");
    for (index, query) in alone.into_iter().enumerate() {
        let mut one = app.get(&format!("{results}&{query}")).await;
        let mut metric = together["metrics"][index].clone();
        assert_eq!(metric["id"], body["metrics"][index]["id"]);
        for metric in [&mut metric, &mut one["metrics"][0]] {
            metric["id"] = Value::Null;
            metric["variants"][1]["p_value_adjusted"] = Value::Null;
        }
        assert_eq!(metric, one["metrics"][0], "{query}");
        assert_eq!(together["health"], one["health"]);
    }
    let adjusted = |answer: &Value| -> Vec<f64> {
        let metrics = answer["metrics"].as_array().unwrap();
        metrics.iter().filter_map(|metric| metric["variants"][1]["p_value_adjusted"].as_f64()).collect()
    };
    let plain = |answer: &Value| -> Vec<f64> {
        let metrics = answer["metrics"].as_array().unwrap();
        metrics.iter().filter_map(|metric| metric["variants"][1]["p_value"].as_f64()).collect()
    };
    // By hand: the i-th smallest of m times m ÷ i, made monotone.
    let p = plain(&together);
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*other].total_cmp(&p[*one]));
    let (mut wanted, mut least) = (vec![0.0; p.len()], 1.0_f64);
    for (place, index) in order.iter().enumerate() {
        least = least.min(p[*index] * p.len() as f64 / (p.len() - place) as f64);
        wanted[*index] = least;
    }
    for (shown, wanted) in adjusted(&together).iter().zip(&wanted) {
        assert!((shown / wanted - 1.0).abs() < 1e-9, "{shown} {wanted}");
    }
    let (_, each) = post(&app, &format!("{ASKED}&correction_scope=metric"), &body).await;
    assert_eq!(adjusted(&each), plain(&each));
}

#[tokio::test]
async fn a_guardrail_that_is_harmed_outweighs_a_goal_that_is_won() {
    let app = filled("experiments_analysis_guardrail").await;
    let goal = json!({"id": "sales", "goal_event": "sale"});
    let (_, shipped) = post(&app, &format!("{ASKED}&test=fixed"), &json!({"metrics": [goal]})).await;
    assert_eq!(shipped["decision"]["code"], "ship", "{shipped}");
    let complaints =
        json!({"id": "complaints", "role": "guardrail", "goal_event": "complaint", "direction": "decrease"});
    let (_, stopped) = post(&app, &format!("{ASKED}&test=fixed"), &json!({"metrics": [goal, complaints]})).await;
    assert_eq!(stopped["decision"]["code"], "stop_guardrail", "{stopped}");
    assert_eq!(stopped["decision"]["reasons"], json!(["guardrail_significantly_worse"]));
    let unheard = json!({"metrics": [{"id": "nothing", "goal_event": "never"}]});
    let (_, nothing) = post(&app, ASKED, &unheard).await;
    let variant = &nothing["metrics"][0]["variants"][1];
    assert_eq!((&variant["value"], &variant["notes"]), (&Value::Null, &json!(["no_events_of_goal"])), "{nothing}");
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_told_at_its_place() {
    let app = filled("experiments_analysis_refused").await;
    let metric = |changes: Value| {
        let mut metric = json!({"id": "a", "goal_event": "sale"});
        metric.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!({"metrics": [metric]})
    };
    let twice = json!({"metrics": [{"id": "a", "goal_event": "x"}, {"id": "a", "goal_event": "y"}]});
    for (body, pointer, told) in [
        (json!({}), "/metrics", "is missing"),
        (json!({"metrics": []}), "/metrics", "are 0, not 1 to 20"),
        (json!({"metrics": [{"id": "a"}]}), "/metrics/0/goal_event", "is missing"),
        (twice, "/metrics/1/id", "is that of the metric 0 too"),
        (metric(json!({"metric_type": "average"})), "/metrics/0/metric_type", "is not one of the allowed values"),
        (metric(json!({"metric_type": "mean"})), "/metrics/0/value_field", "is missing: `mean` adds it up"),
        (metric(json!({"value_field": "price"})), "/metrics/0/value_field", "write `data.<path>`"),
        (metric(json!({"goal_filters": ["color:eq:x"]})), "/metrics/0/goal_filters/0", "color"),
        (metric(json!({"denominator_filters": ["event:eq:x"]})), "/metrics/0/denominator_filters", "denominator_event"),
        (metric(json!({"cuped_days": 91})), "/metrics/0/cuped_days", "is 91, not 0 to 90"),
        (metric(json!({"goals": 1})), "/metrics/0/goals", "is not a field of this object"),
    ] {
        let (status, problem) = post(&app, ASKED, &body).await;
        assert_eq!(status, 422, "{body}: {problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
        assert!(problem["errors"][0].to_string().contains(told), "{body}: {problem}");
    }
    let (status, unknown) = post(&app, &ASKED.replace("/e/", "/unheard/"), &metric(json!({}))).await;
    assert_eq!((status, &unknown["code"]), (404, &json!("not_found")));
}
