use serde_json::json;

use crate::support::{TestApp, message, series, with};

const PATH: &str = "/api/v1/recommendations/charts/assisted-share?datetime_from=2026-02-01&datetime_to=2026-02-02&aggregation_level=day";

#[tokio::test]
async fn the_share_is_assisted_by_sent_characters_of_the_same_messages() {
    let app = TestApp::start("assisted_share").await;
    let time = "2026-02-01T10:00:00Z";
    app.store(&[
        message(time, &[("gpt", 30, false), ("rec", 20, false)]),
        message(time, &[]),
        with(message(time, &[("gpt", 90, false)]), json!({"profile_code": null})),
    ])
    .await;
    assert_eq!(series(&app.get(PATH).await), "assisted_share: [0.25,null]\n");
    assert_eq!(series(&app.get(&format!("{PATH}&split_by=platform")).await), "genesys: [0.25,null]\n");
}

#[tokio::test]
async fn a_share_cannot_be_asked_by_source() {
    let app = TestApp::start("assisted_share_source").await;
    let (status, problem) = app.ask(&format!("{PATH}&split_by=source&sources=gpt&filter=source:eq:gpt")).await;
    assert_eq!(status, 422);
    let about: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["parameter"].as_str().unwrap()).collect();
    assert_eq!(about, ["split_by", "filter", "sources"]);
}
