//! Hostile strings in every parameter change nothing but the answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{TestApp, Via, message, series};

const HOSTILE: [&str; 18] = [
    "'",
    "\"",
    "`",
    "\\",
    "''; DROP TABLE events; --",
    "' OR '1'='1",
    "\u{0}",
    "{",
    "}",
    "{x:String}",
    "{{ 7 * 7 }}",
    "?",
    "%s%n",
    "$(id)",
    "../../etc/passwd",
    "💥\u{202e}\u{feff}",
    "<script>alert(1)</script>",
    "\r\nX-Injected: 1",
];

#[tokio::test]
async fn every_parameter_takes_every_string_without_a_server_error() {
    let app = TestApp::start_with("hostile", Via::Pipe, |config| config.server.query_rate_limit = 0).await;
    // The names in paths stand for themselves.
    let exposure =
        json!({"event": "exposure", "visitor_id": "one", "data": {"experiment_id": "{experiment_id}", "variant": "A"}});
    app.store(&[message("2026-02-01T10:00:00Z", &[("gpt", 5, false)]), exposure]).await;
    let long = "a".repeat(5_000);
    let (mut known, mut random) = (BTreeSet::new(), fastrand::Rng::new());
    let description = serde_json::to_value(chartwell::app::description()).unwrap();
    for (path, item) in description["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get").filter(|_| path.starts_with("/api/")) else { continue };
        let names = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| parameter["name"].as_str().unwrap());
        for name in names.chain(["unknown"]) {
            let mut values: Vec<&str> = HOSTILE.into_iter().chain([long.as_str(), ""]).collect();
            // A parameter is read by the same code wherever it is: once it gets all of them, then one at random.
            if !known.insert(name.to_owned()) {
                values = vec![values[random.usize(..values.len())]];
            }
            for value in values {
                let request = app.request(path).query(&[(name, value)]).bearer_auth(app.token());
                let response = request.send().await.unwrap();
                let status = response.status();
                assert!(status == 200 || status == 422, "{path} {name}={value:?}: {status}");
                assert!(!response.headers().contains_key("x-injected"));
                let text = response.text().await.unwrap();
                let body: Value = serde_json::from_str(&text).unwrap();
                assert!(
                    !["SELECT", "_analytics", "DB::", "Code:"].iter().any(|internal| text.contains(internal)),
                    "{path} {name}={value:?}: {text}"
                );
                if status == 422 {
                    assert!(body["errors"].as_array().is_some_and(|errors| !errors.is_empty()), "{text}");
                }
            }
        }
    }
}

#[tokio::test]
async fn hostile_values_are_stored_filtered_and_shown_as_they_are() {
    let app = TestApp::start("hostile_values").await;
    let time = "2026-02-01T10:00:00Z";
    let events: Vec<Value> = HOSTILE
        .iter()
        .map(|value| crate::support::with(message(time, &[]), serde_json::json!({"agent_id": value, "note": value})))
        .collect();
    app.store(&events).await;
    let path = "/api/v1/recommendations/charts/series";
    let range = [("datetime_from", "2026-02-01"), ("datetime_to", "2026-02-01"), ("aggregation_level", "day")];
    for value in HOSTILE {
        let escaped = value.replace('\\', r"\\").replace(',', r"\,").replace('|', r"\|").replace(':', r"\:");
        for (name, filter) in [
            ("agent_ids", value.to_owned()),
            ("filter", format!("agent_id:eq:{escaped}")),
            ("filter", format!("data.note:eq:{escaped}")),
            ("filter", format!("agent_id:in:{escaped},x")),
        ] {
            let request = app.request(path).query(&range).query(&[(name, &filter)]).bearer_auth(app.token());
            let chart: Value = request.send().await.unwrap().json().await.unwrap();
            assert_eq!(series(&chart), "messages: [1]\n", "{name}={filter:?}");
        }
    }
    let request =
        app.request(path).query(&range).query(&[("split_by", "agent"), ("top", "100")]).bearer_auth(app.token());
    let chart: Value = request.send().await.unwrap().json().await.unwrap();
    let shown: BTreeSet<&str> =
        chart["series"].as_array().unwrap().iter().map(|series| series["id"].as_str().unwrap()).collect();
    assert_eq!(shown, HOSTILE.into_iter().collect());
}
