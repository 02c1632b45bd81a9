use serde_json::{Value, json};

use crate::support::{TestApp, message, recommendation, with};

const PATH: &str = "/api/v1/recommendations/agents?datetime_from=2026-02-01&datetime_to=2026-02-01";

async fn app_with_agents(name: &str) -> TestApp {
    let app = TestApp::start(name).await;
    let time = "2026-02-01T10:00:00Z";
    let by =
        |agent: &str, event: Value| with(event, json!({"agent_id": agent, "agent_name": format!("Agent {agent}")}));
    app.store(&[
        by("a", message(time, &[("gpt", 50, false)])),
        by("a", message(time, &[])),
        by("a", recommendation("Shown", time, "gpt")),
        by("b", message(time, &[])),
        by("b", message("2026-02-01T11:00:00Z", &[])),
        with(by("b", message("2026-02-01T12:00:00Z", &[])), json!({"agent_name": "Agent B"})),
        by("c", recommendation("Shown", time, "gpt")),
        by("c", recommendation("Accepted", time, "gpt")),
        with(message(time, &[]), json!({"agent_id": null})),
    ])
    .await;
    app
}

fn ids(table: &Value) -> Vec<&str> {
    table["items"].as_array().unwrap().iter().map(|agent| agent["agent_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_agent_has_a_row_with_rates_and_what_they_are_made_of() {
    let app = app_with_agents("agents").await;
    let table = app.get(PATH).await;
    assert_eq!(
        table["items"][1],
        json!({
            "agent_id": "a", "agent_name": "Agent a", "messages": 2, "assisted_messages": 1,
            "assisted_share": 0.25, "assisted_share_numerator": 50, "assisted_share_denominator": 200,
            "shown": 1, "accepted": 0, "acceptance_rate": 0.0, "acceptance_rate_numerator": 0, "acceptance_rate_denominator": 1,
            "characters_saved": 50,
        })
    );
    assert_eq!(table["page"], json!({"offset": 0, "limit": 50, "total": 3}));
    // The newest name of an agent.
    assert_eq!(table["items"][0]["agent_name"], "Agent B");
}

#[tokio::test]
async fn rows_are_sorted_with_nulls_last_and_ties_by_id() {
    let app = app_with_agents("agents_sorted").await;
    for (sort, expected) in [
        ("-messages", ["b", "a", "c"]),
        ("acceptance_rate", ["a", "c", "b"]),
        ("-acceptance_rate", ["c", "a", "b"]),
        ("shown,-agent_id", ["b", "c", "a"]),
        ("-characters_saved", ["a", "b", "c"]),
        ("agent_name", ["b", "a", "c"]),
    ] {
        assert_eq!(ids(&app.get(&format!("{PATH}&sort={sort}")).await), expected, "{sort}");
    }
}

#[tokio::test]
async fn the_total_is_right_on_every_page() {
    let app = app_with_agents("agents_paged").await;
    for (page, expected) in [("limit=2", vec!["b", "a"]), ("limit=2&offset=2", vec!["c"]), ("offset=10", vec![])] {
        let table = app.get(&format!("{PATH}&{page}")).await;
        assert_eq!(ids(&table), expected);
        assert_eq!(table["page"]["total"], 3, "{page}");
    }
}

#[tokio::test]
async fn a_table_is_also_csv() {
    let app = app_with_agents("agents_csv").await;
    let csv = app
        .request(&format!("{PATH}&limit=1"))
        .bearer_auth(app.token())
        .header("accept", "text/csv")
        .send()
        .await
        .unwrap();
    let csv = csv.text().await.unwrap();
    assert!(csv.starts_with("agent_id,agent_name,messages,"), "{csv}");
    assert!(csv.contains("\r\nb,Agent B,3,0,0.0,0,300,0,0,,0,0,0\r\n"), "{csv}");
}
