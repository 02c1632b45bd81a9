use crate::support::{TestApp, recommendation, series};

const PATH: &str = "/api/v1/recommendations/charts/acceptance-rate?datetime_from=2026-02-01&datetime_to=2026-02-03&aggregation_level=day";

#[tokio::test]
async fn a_rate_is_accepted_by_shown_and_null_without_any() {
    let app = TestApp::start("acceptance").await;
    let mut events = vec![
        recommendation("Accepted", "2026-02-01T10:00:00Z", "gpt"),
        recommendation("Shown", "2026-02-02T10:00:00Z", "rec"),
        recommendation("Accepted", "2026-02-03T10:00:00Z", "gpt"),
    ];
    events.extend((0..4).map(|_| recommendation("Shown", "2026-02-01T10:00:00Z", "gpt")));
    app.store(&events).await;
    let chart = app.get(PATH).await;
    assert_eq!(series(&chart), "acceptance_rate: [0.25,0.0,null]\n");
    assert_eq!(chart["meta"]["unit"], "ratio");
    assert!(chart["meta"]["notes"][0].as_str().unwrap().contains("Denominator"));
    assert!(chart["series"][0].get("stack").is_none());
    let split = app.get(&format!("{PATH}&split_by=source")).await;
    assert_eq!(series(&split), "text-generation: [0.25,null,null]\nautocomplete: [null,0.0,null]\n");
}
