use serde_json::{Value, json};

use crate::support::{TestApp, message, recommendation, with};

const PATH: &str = "/api/v1/recommendations/totals?datetime_from=2026-02-01&datetime_to=2026-02-01";

fn card<'a>(totals: &'a Value, id: &str) -> &'a Value {
    totals["totals"].as_array().unwrap().iter().find(|card| card["id"] == id).unwrap()
}

#[tokio::test]
async fn every_card_has_its_value_and_its_change() {
    let app = TestApp::start("totals").await;
    let (today, before) = ("2026-02-01T10:00:00Z", "2026-01-31T10:00:00Z");
    app.store(&[
        message(today, &[("gpt", 40, false)]),
        with(message(today, &[]), json!({"agent_id": "a2"})),
        recommendation("Shown", today, "gpt"),
        recommendation("Shown", today, "gpt"),
        recommendation("Accepted", today, "gpt"),
        recommendation("Dismissed", today, "gpt"),
        message(before, &[("gpt", 10, false)]),
    ])
    .await;
    let totals = app.get(PATH).await;
    let values: Vec<Value> = totals["totals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|card| json!([card["id"], card["value"], card["previous"], card["unit"]]))
        .collect();
    assert_eq!(
        json!(values),
        json!([
            ["messages", 2, 1, "count"],
            ["assisted_messages", 1, 1, "count"],
            ["sent_characters", 200, 100, "characters"],
            ["assisted_characters", 40, 10, "characters"],
            ["assisted_share", 0.2, 0.1, "ratio"],
            ["shown", 2, 0, "count"],
            ["accepted", 1, 0, "count"],
            ["dismissed", 1, 0, "count"],
            ["acceptance_rate", 0.5, null, "ratio"],
            ["active_agents", 2, 1, "count"],
        ])
    );
    assert_eq!(card(&totals, "assisted_characters")["change"], json!({"absolute": 30, "relative": 3.0}));
    assert_eq!(card(&totals, "shown")["change"], json!({"absolute": 2, "relative": null}));
    assert_eq!(card(&totals, "acceptance_rate")["change"], Value::Null);
    assert_eq!(card(&totals, "messages")["label"], "Messages");
}

#[tokio::test]
async fn totals_of_nothing_are_zero_and_rates_of_nothing_null() {
    let app = TestApp::start("totals_empty").await;
    let totals = app.get(PATH).await;
    assert_eq!(card(&totals, "messages")["value"], 0);
    assert_eq!(card(&totals, "acceptance_rate")["value"], Value::Null);
    assert_eq!(totals["meta"]["fresh_as_of"], Value::Null);
}

#[tokio::test]
async fn totals_are_also_csv() {
    let app = TestApp::start("totals_csv").await;
    app.store(&[message("2026-02-01T10:00:00Z", &[])]).await;
    let csv = app
        .request(PATH)
        .bearer_auth(app.token())
        .header("accept", "text/csv")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines[..2],
        ["id,label,value,unit,previous,change_absolute,change_relative", "messages,Messages,1,count,0,1,"]
    );
}
