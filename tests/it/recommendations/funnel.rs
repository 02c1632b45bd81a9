use serde_json::{Value, json};

use crate::support::{TestApp, message, recommendation};

const PATH: &str = "/api/v1/recommendations/funnel?datetime_from=2026-02-01&datetime_to=2026-02-01";

#[tokio::test]
async fn each_step_has_its_count_its_rate_and_its_interval() {
    let app = TestApp::start("funnel").await;
    let time = "2026-02-01T10:00:00Z";
    let mut events: Vec<Value> = (0..20).map(|_| recommendation("Shown", time, "gpt")).collect();
    events.extend((0..5).map(|_| recommendation("Accepted", time, "gpt")));
    events.push(message(time, &[("gpt", 5, false), ("gpt", 5, true), ("gpt", 5, false), ("rec", 5, true)]));
    app.store(&events).await;
    let funnel = app.get(PATH).await;
    let steps: Vec<Value> = funnel["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| json!([step["source"], step["step"], step["count"], step["denominator"], step["rate"]]))
        .collect();
    assert_eq!(
        json!(steps),
        json!([
            ["text-generation", "shown", 20, null, null],
            ["text-generation", "accepted", 5, 20, 0.25],
            ["text-generation", "sent_unedited", 2, 5, 0.4],
            ["text-generation", "sent_edited", 1, 5, 0.2],
            ["autocomplete", "shown", 0, null, null],
            ["autocomplete", "accepted", 0, 0, null],
            ["autocomplete", "sent_unedited", 0, 0, null],
            ["autocomplete", "sent_edited", 1, 0, null],
        ])
    );
    let interval = &funnel["items"][1]["interval"];
    assert!(
        (interval[0].as_f64().unwrap() - 0.111_9).abs() < 1e-4
            && (interval[1].as_f64().unwrap() - 0.468_7).abs() < 1e-4,
        "{interval}"
    );
    assert_eq!(funnel["items"][7]["interval"], Value::Null);
}

#[tokio::test]
async fn an_earlier_period_stands_beside_it() {
    let app = TestApp::start("funnel_compare").await;
    app.store(&[
        recommendation("Shown", "2026-02-01T10:00:00Z", "gpt"),
        recommendation("Shown", "2026-01-31T10:00:00Z", "gpt"),
        recommendation("Shown", "2026-01-31T10:00:00Z", "gpt"),
        recommendation("Accepted", "2026-01-31T10:00:00Z", "gpt"),
    ])
    .await;
    let funnel = app.get(&format!("{PATH}&compare=previous_period")).await;
    let steps: Vec<Value> = funnel["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| json!([step["count"], step["previous_count"], step["previous_rate"]]))
        .collect();
    assert_eq!(json!(steps), json!([[1, 2, null], [0, 1, 0.5], [0, 0, 0.0], [0, 0, 0.0]]));
}
